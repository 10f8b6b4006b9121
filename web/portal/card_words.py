"""A membership in words, for its customer: its state with a sign, why, until when, and what to do next. Pure.

Which state it is in is decided in membership/shown; the sign repeats the colour, which is never alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from locales.catalogue import Words, translatable
from locales.member_reasons import member_reason
from membership.errors import Reason
from membership.model import PurchaseKind
from membership.portal import Card
from membership.shown import ShownGrant, ShownState
from web.state_looks import LOOKS, PLAIN_NAMES
from web.wording import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something a customer can do: a link, or with `is_act` a button; `kind` is "primary" or ""."""

    label: str
    url: str
    is_act: bool = False
    kind: str = ""
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardWords:
    """A card as it is read. `tone` is ok, info, warn, bad or off; `facts` stand on one line.

    `steps` are for now, the most needed first; `more` leads to what can be done at any time.
    """

    card: Card
    tone: str
    sign: str
    state: str
    hint: str
    facts: tuple[str, ...]
    steps: tuple[Step, ...]
    more: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """How to say it: the words, the customer's time zone, the moment, and Discord's address for people."""

    words: Words
    zone: tzinfo
    now: datetime
    site_url: str

    def when(self, at: datetime) -> str:
        """Say a moment as a date and a distance: "21 December 2026 (in 12 days)"."""
        day, distance = self.words.day(at, self.zone), self.words.distance(at, self.now)
        return self.words.say("{day} ({distance})", day=day, distance=distance)


def card_words(speaker: Speaker, card: Card) -> CardWords:
    """Put one membership into words."""
    tone, sign = LOOKS[card.shown.state]
    return CardWords(
        card=card,
        tone=tone,
        sign=sign,
        state=state_words(speaker, card.shown),
        hint=_hint(speaker, card),
        facts=tuple(_facts(speaker, card)),
        steps=tuple(_steps(speaker, card)),
        more=tuple(_more(speaker.words, card)),
    )


def state_words(speaker: Speaker, shown: ShownGrant) -> str:
    """Say a grant's state, until when or since when, and why it failed or ended."""
    words, why = speaker.words, member_reason(speaker.words, shown.reason)
    at = "" if shown.at is None else speaker.when(shown.at)
    match shown.state:
        case ShownState.ACTIVE if at and shown.is_renewing:
            return words.say("Active, renews {at}", at=at)
        case ShownState.ACTIVE if at:
            return words.say("Active until {at}", at=at)
        case ShownState.TRIALING if at:
            return words.say("Trial until {at}", at=at)
        case ShownState.ENDING if at:
            return words.say("Ends {at}", at=at)
        case ShownState.PAST_DUE if at:
            return words.say("Payment failed, access until {at}", at=at)
        case ShownState.FAILED:
            return words.say("Not delivered: {reason}", reason=why)
        case ShownState.REMOVING:
            return words.say("Taking the role back: {reason}", reason=why)
        case ShownState.REVOKED if shown.at is not None:
            return words.say("Ended {day}: {reason}", day=words.day(shown.at, speaker.zone), reason=why)
        case ShownState.REVOKED:
            return words.say("Ended: {reason}", reason=why)
        case _:
            # What needs no moment and no reason, or lacks the one it should have.
            return words.say(PLAIN_NAMES[shown.state])


def price_words(speaker: Speaker, card: Card) -> str:
    """Say what is paid and how often, "" where nothing is or it is not known."""
    purchase, words = card.shown.purchase, speaker.words
    if not card.shown.is_paid or not purchase.amount:
        return ""
    price = words.amount(money(purchase.amount, purchase.currency))
    if purchase.kind is PurchaseKind.ONE_TIME:
        return words.say("{price} once", price=price)
    known = _INTERVALS.get(card.interval)
    return price if known is None else words.say(known, price=price)


def _hint(speaker: Speaker, card: Card) -> str:
    """Say what the state means for the customer, and what to do."""
    shown, words = card.shown, speaker.words
    what = ", ".join(role.name for role in card.roles) or shown.plan.name
    match shown.state:
        case ShownState.ACTIVE if shown.is_renewing and shown.is_paid and shown.purchase.amount:
            price = words.amount(money(shown.purchase.amount, shown.purchase.currency))
            return words.say("The next payment is {price}.", price=price)
        case ShownState.PENDING_LINK if card.reached.link is None:
            return words.say("Paid. Connect the Discord account that should get {what}.", what=what)
        case ShownState.FAILED:
            return words.say(_FAILED.get(shown.reason, _STAFF_KNOW))
        case ShownState.PAST_DUE if shown.at is None:
            return words.say("Update your payment method, and nothing changes.")
        case state if state in _HINTS:
            return words.say(_HINTS[state], what=what)
        case _:
            return ""


def _facts(speaker: Speaker, card: Card) -> Iterator[str]:
    """Say what is paid, who is connected, and which roles are there."""
    words = speaker.words
    if price := price_words(speaker, card):
        yield price
    if card.handle and not card.shown.is_over:
        inside = words.say("Discord: {handle}, in the server", handle=card.handle)
        yield inside if card.is_inside else words.say("Discord: {handle}", handle=card.handle)


def _steps(speaker: Speaker, card: Card) -> Iterator[Step]:
    words, here = speaker.words, address_of(card)
    yield from _first_steps(words, card, here)
    yield from _money_steps(words, card, here)
    if needs_a_look(card):
        yield Step(label=words.say("Give me my role again"), url=f"{here}/again", is_act=True)
    if card.is_inside and not card.shown.is_over:
        yield Step(label=words.say("Open Discord"), url=f"{speaker.site_url}/channels/{card.guild.id}")


def _more(words: Words, card: Card) -> Iterator[Step]:
    if card.is_mine and card.shown.is_paid:
        yield Step(label=words.say("Invoices"), url="/portal/billing")
        if can_cancel(card.shown):
            yield Step(label=words.say("Cancel membership"), url=f"/portal/cancel/{card.grant_id}")
    yield Step(label=words.say("What happened?"), url=address_of(card))


def address_of(card: Card) -> str:
    """Return where a membership is shown by itself."""
    return f"/portal/grants/{card.grant_id}"


def can_look_again(card: Card) -> bool:
    """Say whether one more look may bring a connected member something."""
    return card.reached.link is not None and card.shown.state in _WORTH_A_TRY


def needs_a_look(card: Card) -> bool:
    """Say whether something is missing that one more look may bring."""
    is_complete = card.shown.state in _GOOD and card.is_inside and all(role.has for role in card.roles)
    return can_look_again(card) and not is_complete


def _first_steps(words: Words, card: Card, here: str) -> Iterator[Step]:
    """Offer what is needed next, if anything."""
    shown, link = card.shown, card.reached.link
    if shown.is_over:
        if shown.is_paid and not shown.plan.is_archived and card.guild.is_active:
            yield Step(label=words.say("Buy again"), url=f"/plans/{shown.plan.slug}", kind="primary")
        return
    if link is None and card.is_mine and shown.state is ShownState.PENDING_LINK:
        yield Step(label=words.say("Connect Discord"), url="/portal/discord/connect", is_act=True, kind="primary")
        yield Step(label=words.say("Mail me the link"), url=f"{here}/mail", is_act=True)
    elif link is not None and card.is_mine and must_sign_in(shown):
        fields = (("from", str(link.user_id)),)
        label = words.say("Connect Discord once more")
        yield Step(label=label, url="/portal/discord/connect", is_act=True, kind="primary", fields=fields)
    if card.invite_url:
        yield Step(label=words.say("Join the server"), url=card.invite_url, kind="primary")
    elif card.is_outside:
        yield Step(label=words.say("Get an invite"), url=f"{here}/join", is_act=True, kind="primary")


def _money_steps(words: Words, card: Card, here: str) -> Iterator[Step]:
    """Offer what belongs to whoever pays; somebody else may only have it mailed to them."""
    shown = card.shown
    if shown.is_over or not shown.is_paid:
        return
    if not card.is_mine:
        yield Step(label=words.say("Mail billing to whoever pays"), url=f"{here}/mail-billing", is_act=True)
        return
    if shown.state is ShownState.PAST_DUE:
        fields = (("task", "card"),)
        yield Step(label=words.say("Update card"), url=f"{here}/billing", is_act=True, kind="primary", fields=fields)
    if can_resume(shown):
        yield Step(label=words.say("Keep my membership"), url=f"/portal/cancel/{card.grant_id}", kind="primary")


def can_cancel(shown: ShownGrant) -> bool:
    """Say whether a grant is carried by a subscription that goes on by itself."""
    return not shown.is_over and shown.purchase.kind is PurchaseKind.SUBSCRIPTION and shown.purchase.ends_at is None


def can_resume(shown: ShownGrant) -> bool:
    """Say whether a grant is carried by a subscription that was cancelled and still runs."""
    is_cancelled = shown.purchase.kind is PurchaseKind.SUBSCRIPTION and shown.purchase.ends_at is not None
    return not shown.is_over and is_cancelled


def must_sign_in(shown: ShownGrant) -> bool:
    """Say whether the customer has to let us add them to the server once more."""
    return shown.state is ShownState.FAILED and shown.reason in (Reason.TOKEN_EXPIRED, Reason.SCOPE_MISSING)


_GOOD = (ShownState.ACTIVE, ShownState.TRIALING, ShownState.ENDING, ShownState.PAST_DUE)
_WORTH_A_TRY = (
    *_GOOD,
    ShownState.FAILED,
    ShownState.DELIVERING,
    ShownState.PENDING_JOIN,
    ShownState.PENDING_RULES,
    ShownState.HAND_REMOVED,
)
_INTERVALS: Mapping[str, str] = {
    "day": translatable("{price} / day"),
    "week": translatable("{price} / week"),
    "month": translatable("{price} / month"),
    "year": translatable("{price} / year"),
}

_LOOKED_AT = translatable("The staff are looking at it. You need to do nothing.")
_STAFF_KNOW = translatable("Staff have been told. You have not lost anything.")
_CONNECT_AGAIN = translatable("Connect Discord once more, or join the server yourself. You have not lost anything.")
_FAILED: Mapping[Reason, str] = {
    Reason.SERVER_LIMIT: translatable("Leave a server, then press Give me my role again. You have not lost anything."),
    Reason.BANNED: translatable("Write to the staff of the server."),
    Reason.ACCOUNT_GONE: translatable("Connect another Discord account. You have not lost anything."),
    Reason.TOKEN_EXPIRED: _CONNECT_AGAIN,
    Reason.SCOPE_MISSING: _CONNECT_AGAIN,
    Reason.JOIN_LIMITED: translatable("Try again later, or join the server yourself. You have not lost anything."),
}
_HINTS: Mapping[ShownState, str] = {
    ShownState.PENDING_PAYMENT: translatable("{what} follows by itself when the payment arrives."),
    ShownState.PENDING_LINK: translatable("{what} follows in a moment."),
    ShownState.PENDING_JOIN: translatable("Paid. Join the server to get {what}."),
    ShownState.PENDING_RULES: translatable(
        "Accept the server rules first (top of the channel list), {what} follows by itself."
    ),
    ShownState.DELIVERING: translatable("{what} follows in a moment."),
    ShownState.PAST_DUE: translatable(
        "You keep {what} until then. Update your payment method before, and nothing changes."
    ),
    ShownState.ENDING: translatable("You keep {what} until then."),
    ShownState.PAUSED: translatable("It goes on when the subscription is resumed at the payment provider."),
    ShownState.HELD: _LOOKED_AT,
    ShownState.HAND_REMOVED: translatable("Ask the staff if that is wrong."),
    ShownState.DISPUTED: translatable(
        "The payment is disputed with your bank, so access is off until the bank has decided. Write to the staff."
    ),
    ShownState.UNCLEAR: _LOOKED_AT,
    ShownState.REMOVING: translatable("Discord is asked to take the role back; that is tried until it is done."),
}

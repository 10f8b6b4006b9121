"""What members see of their own memberships: the card of `/membership` and those around it. Pure (EXPERIENCE 2.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cogs.cards import Button, Buttons, Card, Divider, Field, Form, Line, Row, Style, Text, Tone
from cogs.state_words import grant_line
from cogs.words import code_text, money
from locales.catalogue import Words, language_name, translatable
from membership.addresses import masked
from membership.errors import Reason
from membership.mine import Membership, Mine
from membership.model import RoleId
from membership.shown import ShownGrant, ShownState

ADDRESS_FIELD = "address"
LONGEST_ADDRESS = 254

MAIL_ON_ITS_WAY = translatable("If that address has a purchase, a mail is on its way.")
"""The one answer to every address, so that nobody can find out who bought something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a card is shown. `connect_url`: the person's own way to sign in, "" where it is not needed.

    `can_buy`: it is a server that is set up.
    """

    is_in_guild: bool
    can_mail: bool = True
    can_buy: bool = False
    connect_url: str = ""


def membership_card(words: Words, mine: Mine, place: Place, note: str = "") -> Card:
    """Show everything a person has, with what they can do about it; or how a purchase is found.

    `note` says what came of the button that was pressed.
    """
    title = words.say("Your membership")
    if not mine.memberships:
        return Card(title=title, lines=(*_how_to_connect(words, place), Divider(), _choices(words, mine)))
    lines: list[Line] = [Text(note)] if note else []
    lines += [Text(f"-# {addresses}")] if (addresses := _addresses(mine)) else []
    for number, each in enumerate(mine.memberships):
        lines += [Divider()] if number else []
        lines += _membership(words, each, place)
    if mine.left_out:
        lines.append(Text(words.count("… and {number} more", "… and {number} more", mine.left_out)))
    if not mine.is_live:
        lines += [Divider(), *_how_to_connect(words, place)]
    return Card(title=title, lines=(*lines, Divider(), _choices(words, mine)), tone=_tone(mine))


def after_try(words: Words, mine: Mine) -> str:
    """Say what came of trying again."""
    waiting = [each.shown for each in mine.memberships if each.shown.state in _WORTH_A_TRY]
    refused = [shown.reason for shown in waiting if shown.state is ShownState.FAILED]
    if any(reason not in _FAILED for reason in refused):
        return words.say("Tried just now: still refused. Staff have been told.")
    if refused:
        return words.say("Tried just now: still refused.")
    if waiting:
        return words.say("Tried just now: not there yet.")
    return words.say("Tried just now: it worked.")


def needs_sign_in(mine: Mine) -> bool:
    """Say whether the card shows a way to sign in with Discord."""
    return not mine.is_live or any(_must_sign_in(each.shown) for each in mine.memberships)


def switch_card(words: Words, membership: Membership) -> Card:
    """Say how a membership gets to another Discord account, before anything is mailed."""
    address = masked(membership.payer.customer.email)
    return Card(
        title=words.say("Switch Discord account"),
        lines=(
            Text(
                words.say(
                    "We mail a link to {address}. Open it and sign in with the Discord account that **{plan}** should "
                    "be on. This account loses its roles at once, and nothing happens before you say yes there.",
                    address=code_text(address),
                    plan=code_text(membership.shown.plan.name),
                )
            ),
            Buttons(
                (
                    Button(
                        label=words.say("Mail the link to {address}", address=address),
                        action="membership-switch-mail",
                        args=(membership.shown.grant.id,),
                        style=Style.MAIN,
                    ),
                    Button(label=words.say("Back"), action="membership"),
                )
            ),
        ),
    )


def mailed_card(words: Words, email: str) -> Card:
    """Say that a mail to a person's own address is on its way."""
    text = words.say(
        "A mail is on its way to {address}. At most one goes out in an hour.", address=code_text(masked(email))
    )
    back = Button(label=words.say("Back"), action="membership")
    return Card(lines=(Text(text), Buttons((back,))), tone=Tone.GOOD)


def address_form(words: Words) -> Form:
    """Ask for the address that something was bought with."""
    field = Field(
        name=ADDRESS_FIELD,
        label=words.say("E-mail"),
        about=words.say("The address you bought with"),
        placeholder="ada@example.com",
        longest=LONGEST_ADDRESS,
    )
    return Form(title=words.say("Send me a link by mail"), action="mail-link", fields=(field,))


def role_list(words: Words, membership: Membership, place: Place) -> str:
    """Name a plan's roles, each with a tick if the member was seen with it; "" for a plan without roles."""
    roles = membership.shown.roles or frozenset(membership.shown.plan.roles)
    ticked = [
        _role(membership, role, place) + (" ✅" if role in membership.has else "")
        for role in sorted(roles)
        if _can_name(membership, role, place)
    ]
    return words.say("Roles: {roles}", roles=" ".join(ticked)) if ticked else ""


def _membership(words: Words, membership: Membership, place: Place) -> Iterator[Line]:
    shown = membership.shown
    name = f"**{code_text(shown.plan.name)}**"
    if not place.is_in_guild:
        name = words.say("{plan} in {server}", plan=name, server=code_text(membership.guild.name))
    roles = "" if shown.is_over else role_list(words, membership, place)
    parts = (f"{name}  {grant_line(words, shown)}", _hint(words, membership, place), roles)
    yield Text("\n".join(filter(None, parts)))
    buttons = tuple(_buttons(words, membership, place))
    if buttons:
        yield Buttons(buttons)


def _hint(words: Words, membership: Membership, place: Place) -> str:
    """Say what the state means for the member, and what to do."""
    shown = membership.shown
    what = _role_names(membership, place) or code_text(shown.plan.name)
    match shown.state:
        case ShownState.ACTIVE if shown.is_renewing and shown.is_paid and shown.purchase.amount:
            facts = {"amount": shown.purchase.amount, "currency": shown.purchase.currency}
            return words.say("The next payment is {price}.", price=words.amount(money(facts)))
        case ShownState.FAILED if shown.roles:
            what_now = _FAILED.get(shown.reason, _STAFF_KNOW)
            return words.say(what_now)
        case ShownState.PAST_DUE if shown.at is None:
            return words.say("Update your payment method, and nothing changes.")
        case state if state in _HINTS:
            return words.say(_HINTS[state], what=what)
        case _:
            return ""


def _buttons(words: Words, membership: Membership, place: Place) -> Iterator[Button]:
    shown = membership.shown
    if membership.invite_url:
        yield Button(label=words.say("Join"), url=membership.invite_url)
    if place.connect_url and _must_sign_in(shown):
        yield Button(label=words.say("Connect Discord"), url=place.connect_url)
    if shown.state in _WORTH_A_TRY:
        yield Button(label=words.say("Try again"), action="membership-retry", style=Style.MAIN)
    if shown.is_over:
        if shown.is_paid and not shown.plan.is_archived and membership.guild.is_active:
            yield Button(label=words.say("Buy again"), action="buy", args=(shown.plan.id,), style=Style.MAIN)
        return
    yield from _billing(words, membership)
    if shown.is_paid and membership.can_mail_billing:
        yield Button(label=words.say("Switch Discord account"), action="membership-switch", args=(shown.grant.id,))


def _billing(words: Words, membership: Membership) -> Iterator[Button]:
    wish = _BILLING.get(_wish(membership.shown), _MANAGE)
    label = words.say(wish)
    if membership.billing_url:
        yield Button(label=label, url=membership.billing_url)
    elif membership.can_mail_billing:
        yield Button(label=label, action="membership-billing", args=(membership.shown.grant.id,))


def _wish(shown: ShownGrant) -> ShownState | None:
    """Return the state that billing can change; what staff end cannot be kept there."""
    return None if shown.grant.revoke_at is not None else shown.state


def _must_sign_in(shown: ShownGrant) -> bool:
    return shown.state is ShownState.FAILED and shown.reason in (Reason.TOKEN_EXPIRED, Reason.SCOPE_MISSING)


def _how_to_connect(words: Words, place: Place) -> Iterator[Line]:
    yield Text(words.say("No purchase is connected to you. Bought with another e-mail?"))
    buttons = []
    if place.connect_url:
        yield Text(words.say("Sign in with Discord to let us find your purchase. The link is yours, for ten minutes."))
        buttons.append(Button(label=words.say("Connect Discord"), url=place.connect_url))
    if place.can_mail:
        buttons.append(Button(label=words.say("Send me a link by mail"), action="mail-link-form"))
    buttons.append(Button(label=words.say("I have a code"), action="claim-form"))
    if place.can_buy:
        buttons.append(Button(label=words.say("Buy a plan"), action="buy"))
    yield Buttons(tuple(buttons))


def _choices(words: Words, mine: Mine) -> Line:
    language = language_name(words.locale)
    if mine.settings.dms:
        text = words.say("Language: {language} (from Discord) · Direct messages: on", language=language)
        return Row(f"-# {text}", Button(label=words.say("Turn off"), action="membership-dms", args=("off",)))
    text = words.say("Language: {language} (from Discord) · Direct messages: off", language=language)
    return Row(f"-# {text}", Button(label=words.say("Turn on"), action="membership-dms", args=("on",)))


def _addresses(mine: Mine) -> str:
    """Return the masked addresses of everybody who paid."""
    emails = dict.fromkeys(each.payer.customer.email for each in mine.memberships)
    return ", ".join(code_text(masked(email)) for email in emails if email)


def _role_names(membership: Membership, place: Place) -> str:
    roles = sorted(membership.shown.roles or frozenset(membership.shown.plan.roles))
    return ", ".join(_role(membership, role, place) for role in roles if _can_name(membership, role, place))


def _can_name(membership: Membership, role: RoleId, place: Place) -> bool:
    """Say whether a role is there to be named; while Discord shows no roles at all, a mention may still work."""
    return role in membership.role_names or (place.is_in_guild and not membership.role_names)


def _role(membership: Membership, role: RoleId, place: Place) -> str:
    """Mention a role where mentions are shown, else name it."""
    return f"<@&{role}>" if place.is_in_guild else code_text(f"@{membership.role_names[role]}")


def _tone(mine: Mine) -> Tone:
    """Colour the card by what most needs the member's eye."""
    states = {each.shown.state for each in mine.memberships}
    if states & {ShownState.FAILED, ShownState.DISPUTED}:
        return Tone.BAD
    if ShownState.PAST_DUE in states:
        return Tone.WARN
    if states & {ShownState.PENDING_JOIN, ShownState.PENDING_RULES, ShownState.ENDING}:
        return Tone.NEWS
    return Tone.GOOD if mine.is_live else Tone.QUIET


_WORTH_A_TRY = (
    ShownState.FAILED,
    ShownState.DELIVERING,
    ShownState.PENDING_LINK,
    ShownState.PENDING_JOIN,
    ShownState.PENDING_RULES,
)
_MANAGE = translatable("Manage billing")
_BILLING: Mapping[ShownState | None, str] = {
    ShownState.PAST_DUE: translatable("Update card"),
    ShownState.ENDING: translatable("Keep my membership"),
    ShownState.PAUSED: translatable("Resume"),
}
_LOOKED_AT = translatable("The staff are looking at it. You need to do nothing.")
_STAFF_KNOW = translatable("Staff have been told. You have not lost anything.")
_CONNECT_AGAIN = translatable("Connect Discord once more, or join the server yourself. You have not lost anything.")
_FAILED: Mapping[Reason, str] = {
    Reason.SERVER_LIMIT: translatable("Leave a server, then press Try again. You have not lost anything."),
    Reason.BANNED: translatable("Write to the staff of the server."),
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
    ShownState.HELD: _LOOKED_AT,
    ShownState.HAND_REMOVED: translatable("Ask the staff if that is wrong."),
    ShownState.DISPUTED: translatable(
        "The payment is disputed with your bank, so access is off until the bank has decided. Write to the staff."
    ),
    ShownState.UNCLEAR: _LOOKED_AT,
}

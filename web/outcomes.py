"""What the pages say about how things went (EXPERIENCE 3.5 and 2.8): state first, reason second, button third. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from membership.errors import Reason
from web.parts import AccessState, ConnectPreview, ConnectResult, LinkState, ServerAccess, VerifyResult
from web.wording import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A page that says one thing. `tone` is ok, info, warn or bad; the action is a link, "" for none.

    With `is_act` the action does something: it becomes a form's button.
    """

    title: str
    text: str
    tone: str = "info"
    action: str = ""
    url: str = ""
    is_act: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessWords:
    """One plan in one server, in words. `mark` repeats the tone as a sign, so that colour is never alone."""

    mark: str
    tone: str
    headline: str
    text: str = ""
    action: str = ""
    url: str = ""


SIGN_IN_TOO_OLD = Notice(
    title="Please start again",
    text="This sign-in took too long, was finished already, or was opened in another browser. Nothing was changed. "
    "Open the link from your mail once more, or press the button in Discord again.",
    tone="warn",
)
FORGOTTEN = Notice(
    title="This page has served its time",
    text="If you connected Discord, everything goes on by itself. If you were in the middle of it, nothing was "
    "changed: open the link from your mail once more.",
)
NOT_THE_PAYER = Notice(
    title="Thank you",
    text="The link in your mail connects it to your Discord account. If you have not paid yet, nothing was charged.",
)
MAILED_AGAIN = Notice(
    title="Look into your mail",
    text="If the purchase still runs, a new link is on its way to the address it was bought with. At most one goes out "
    "in an hour.",
    tone="ok",
)
TICKET_OLD = Notice(
    title="This link is old",
    text="Links from the button in Discord work for ten minutes, and for you alone. Nothing was changed. Press the "
    "button in Discord again.",
    tone="warn",
)
CONTINUE_TO_BILLING = "Your card, your invoices and cancelling are at our payment provider."
CONTINUE_TO_PAY = "You pay at our payment provider. Nothing is charged before you confirm there."

_STOPPED = {
    "denied": ("You pressed Cancel at Discord", "Your purchase is safe. Connect whenever you like.", "info"),
    "kept": ("Nothing was changed", "Your purchase stays where it was.", "info"),
    "discord_down": (
        "Discord is not answering",
        "Your purchase is safe, and nothing was changed. Please try again in a minute.",
        "warn",
    ),
    "not_set_up": (
        "Sign-in is not working",
        "Discord does not accept this server's sign-in settings. Your purchase is safe; please tell the staff. "
        "The code from your mail works meanwhile.",
        "bad",
    ),
    "refused": ("That sign-in did not work", "", "warn"),
}

_FAILED = {
    Reason.BANNED: "This Discord account is banned from the server, so we cannot add it. Please write to the staff.",
    Reason.SERVER_LIMIT: "You are in the maximum number of servers that Discord allows. Leave one, then try again.",
    Reason.ACCOUNT_GONE: "This Discord account is gone. Connect another: the link in your mail gets you a new one.",
    Reason.TOKEN_EXPIRED: "Discord's permission ran out. The link in your mail gets you a new one; connect once more.",
    Reason.REFUNDED: "This purchase was refunded.",
    Reason.CANCELLED: "This purchase has ended.",
    Reason.EXPIRED: "This purchase has ended.",
}
_STAFF_KNOW = "The staff can see what to repair. You lose nothing, and the role follows by itself."


def stopped(why: str, *, text: str, back: str) -> Notice:
    """Say why a sign-in went no further, with the way back to where it began."""
    title, standard, tone = _STOPPED[why]
    return Notice(title=title, text=text or standard, tone=tone, action="Try again", url=back)


_NEXT = "Go back to Discord and press Send me a link by mail, or I have a code if you have one from us."
_UNVERIFIED = {
    VerifyResult.NOTHING: (
        "We found no purchase",
        "Nothing was bought with {email} that still runs. Was it another address? " + _NEXT,
    ),
    VerifyResult.UNVERIFIED: (
        "Discord does not know your address for sure",
        "Your Discord account has no verified e-mail address, so it proves nothing to us. " + _NEXT,
    ),
    VerifyResult.SOMEBODY_ELSES: (
        "Another Discord account has it",
        "What was bought with {email} is connected to another Discord account, and we never take it from there by "
        "ourselves. A mailed link moves it. " + _NEXT,
    ),
    VerifyResult.SWITCHED_OFF: (
        "One step is left",
        "Here an address alone does not connect a purchase. " + _NEXT,
    ),
}


def not_verified(result: VerifyResult, email: str) -> Notice:
    """Say why a sign-in connected nothing and what to do; `email` is the masked address that Discord named."""
    title, text = _UNVERIFIED[result]
    return Notice(title=title, text=text.format(email=email), tone="info")


def other_account(expected: str, came: str, back: str) -> Notice:
    """Say that somebody else signed in than the one who pressed the button."""
    return Notice(
        title="You signed in as somebody else",
        text=f"You pressed the button as {expected} but signed in as {came}. Nothing was changed. Change the account "
        f"at Discord and try again, or press the button in Discord as {came}.",
        tone="warn",
        action="Try again",
        url=back,
    )


def dead_link(preview: ConnectPreview, *, again_url: str) -> Notice:
    """Say why a mailed link cannot connect anything, and offer a new one by mail where there was one."""
    match preview.state:
        case LinkState.USED:
            holder = f" It is connected to {preview.linked_to}." if preview.linked_to else ""
            return Notice(
                title="This link was used already",
                text=f"{listed(preview.plan_names) or 'The purchase'} is taken care of.{holder} "
                "Is that not you, or should another Discord account have it? We mail a new link to the address it was "
                "bought with, and that one moves it.",
                action="Mail me a new link",
                url=again_url,
                is_act=True,
            )
        case LinkState.EXPIRED:
            return Notice(
                title="This link is too old",
                text="Links from our mails work for a limited time. Your purchase is safe, and we can mail a new link "
                "to the address it was bought with.",
                tone="warn",
                action="Mail me a new link",
                url=again_url,
                is_act=True,
            )
        case LinkState.UNKNOWN | LinkState.READY | LinkState.LINKED:
            return Notice(
                title="We do not know this link",
                text="Check that it was copied whole, from the first to the last character.",
                tone="warn",
            )
        case never:
            assert_never(never)


def refusal(result: ConnectResult, back: str) -> Notice:
    """Say why a confirmed wish to connect could not be met."""
    if result is ConnectResult.MOVES_USED_UP:
        return Notice(
            title="Moved too often",
            text="This purchase was moved to another Discord account several times in the last 30 days. It stays "
            "where it is. The staff of the server can move it for you.",
            tone="warn",
        )
    return Notice(
        title="This purchase cannot be connected now",
        text="It has ended, or somebody connected it a moment ago. The link from your mail shows how it stands.",
        tone="warn",
        action="Look again",
        url=back,
    )


def headline(access: tuple[ServerAccess, ...], handle: str) -> str:
    """Sum up all servers in one line."""
    states = {each.state for each in access}
    plans = listed(tuple(dict.fromkeys(each.plan_name for each in access)))
    if states == {AccessState.DELIVERED}:
        return f"{plans} is yours" if len(access) == 1 else f"{plans} are yours"
    if AccessState.WORKING in states or not access:
        return f"Connected as {handle}"
    if AccessState.FAILED in states:
        return "Connected, but not everything worked"
    return "One step is left"


def words(access: ServerAccess) -> AccessWords:
    """Say how far one plan in one server is, and what the person can do."""
    plan, server = access.plan_name, access.server_name
    match access.state:
        case AccessState.DELIVERED:
            return AccessWords(
                mark="✓", tone="ok", headline=plan, text=f"in {server}", action="Open Discord", url=access.open_url
            )
        case AccessState.WORKING:
            wait = f" Discord is busy: about {access.wait_seconds} s." if access.wait_seconds else ""
            return AccessWords(mark="…", tone="off", headline=f"Giving you {plan}", text=f"in {server}.{wait}")
        case AccessState.WAITING_FOR_LINK:
            return AccessWords(mark="○", tone="off", headline=plan, text=f"in {server}, once Discord is connected")
        case AccessState.JOIN_NEEDED:
            return AccessWords(
                mark="→",
                tone="info",
                headline=f"Join {server}",
                text=f"We could not add you ourselves. Join the server, and {plan} follows by itself.",
                action="Join the server",
                url=access.invite_url,
            )
        case AccessState.RULES_NEEDED:
            return AccessWords(
                mark="→",
                tone="info",
                headline=f"Accept the rules of {server}",
                text=f"Open the server and accept its rules; {plan} follows by itself.",
                action="Open Discord",
                url=access.open_url,
            )
        case AccessState.FAILED:
            text = _FAILED.get(access.reason, _STAFF_KNOW) if access.reason else _STAFF_KNOW
            return AccessWords(mark="!", tone="bad", headline=f"{plan} was not given", text=f"{server}: {text}")
        case never:
            assert_never(never)


def is_settled(access: tuple[ServerAccess, ...]) -> bool:
    """Say whether waiting changes nothing any more."""
    return bool(access) and all(each.state in (AccessState.DELIVERED, AccessState.FAILED) for each in access)

"""How far each plan in each server is, in words: state, reason, button (EXPERIENCE 2.8, 3.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from locales.catalogue import Words
from membership.errors import Reason
from web.parts import AccessState, Delay, ServerAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessWords:
    """One plan in one server, in words. `mark` repeats the tone as a sign, so that colour is never alone."""

    mark: str
    tone: str
    headline: str
    text: str = ""
    action: str = ""
    url: str = ""


def listed(words: Words, names: Sequence[str]) -> str:
    """Join names as a sentence does: "VIP", "VIP and Course", "VIP, Course and Lounge"."""
    if len(names) < 2:
        return "".join(names)
    return words.say("{names} and {last}", names=", ".join(names[:-1]), last=names[-1])


def headline(words: Words, access: Sequence[ServerAccess], handle: str) -> str:
    """Sum up all servers in one line for the Discord account of this handle."""
    states = {each.state for each in access}
    names = tuple(dict.fromkeys(each.plan_name for each in access))
    if states == {AccessState.DELIVERED}:
        plans = listed(words, names)
        return (
            words.say("{plans} is yours", plans=plans)
            if len(names) == 1
            else words.say("{plans} are yours", plans=plans)
        )
    if AccessState.WORKING in states or not access:
        return words.say("Connected as {handle}", handle=handle)
    banned_from = [each.server_name for each in access if each.reason is Reason.BANNED]
    if banned_from:
        return words.say("{handle} is banned from {server}", handle=handle, server=banned_from[0])
    if AccessState.FAILED in states:
        return words.say("Connected, but not everything worked")
    return words.say("One step is left")


def is_settled(access: Sequence[ServerAccess]) -> bool:
    """Say whether waiting changes nothing any more."""
    return bool(access) and all(each.state in (AccessState.DELIVERED, AccessState.FAILED) for each in access)


def described(words: Words, access: ServerAccess, *, contact: str = "") -> AccessWords:
    """Say how far one plan in one server is, and what the person can do; `contact` is the staff's mail address."""
    plan, server = access.plan_name, access.server_name
    match access.state:
        case AccessState.DELIVERED:
            return AccessWords(
                mark="✓",
                tone="ok",
                headline=plan,
                text=words.say("in {server}", server=server),
                action=words.say("Open Discord"),
                url=access.open_url,
            )
        case AccessState.WORKING:
            return AccessWords(
                mark="…", tone="off", headline=words.say("Giving you {plan}", plan=plan), text=_wait(words, access)
            )
        case AccessState.WAITING_FOR_LINK:
            text = words.say("in {server}, once Discord is connected", server=server)
            return AccessWords(mark="○", tone="off", headline=plan, text=text)
        case AccessState.JOIN_NEEDED:
            return _way_in(words, access)
        case AccessState.RULES_NEEDED:
            return AccessWords(
                mark="→",
                tone="info",
                headline=words.say("Accept the rules of {server}", server=server),
                text=words.say("Open the server and accept its rules; {plan} follows by itself.", plan=plan),
                action=words.say("Open Discord"),
                url=access.open_url,
            )
        case AccessState.FAILED:
            return _failure(words, access, contact)
        case never:
            assert_never(never)


def _wait(words: Words, access: ServerAccess) -> str:
    place = words.say("in {server}.", server=access.server_name)
    match access.delay:
        case Delay.NONE:
            return place
        case Delay.PAUSED:
            why = words.say("The staff have paused role changes there. It follows by itself when they go on.")
        case Delay.TROUBLE:
            busy = words.say("Discord is busy: about {seconds} s.", seconds=max(1, access.wait_seconds))
            why = f"{busy} {words.say('We go on by ourselves until it is there.')}"
        case never:
            assert_never(never)
    return f"{place} {why}"


def _way_in(words: Words, access: ServerAccess) -> AccessWords:
    """Say how somebody comes in whom we could not add, or who did not let us."""
    plan, server = access.plan_name, access.server_name
    tone, title = "info", words.say("Join {server}", server=server)
    match access.reason:
        case Reason.SERVER_LIMIT:
            tone, title = "warn", words.say("You are in as many servers as Discord allows")
            why = words.say("Leave one of them, then join {server} here.", server=server)
        case Reason.SCOPE_MISSING | Reason.NOT_IN_SERVER:
            why = words.say("You did not let us add you, so please come in by yourself.")
        case Reason.JOIN_LIMITED:
            why = words.say("Discord limits you from joining servers at the moment. Try again a little later.")
        case _:
            why = words.say("We could not add you ourselves, so please come in by yourself.")
    follows = words.say("{plan} follows by itself.", plan=plan)
    ask = "" if access.invite_url else words.say("The staff of the server have an invite for you.")
    return AccessWords(
        mark="→" if tone == "info" else "!",
        tone=tone,
        headline=title,
        text=" ".join(part for part in (why, follows, ask) if part),
        action=words.say("Join the server"),
        url=access.invite_url,
    )


def _failure(words: Words, access: ServerAccess, contact: str) -> AccessWords:
    action = url = ""
    if access.reason is Reason.BANNED and contact:
        action, url = words.say("Write to the staff"), f"mailto:{contact}"
    elif access.reason is Reason.TOKEN_EXPIRED:
        action, url = words.say("My memberships"), "/portal"
    return AccessWords(
        mark="!",
        tone="bad",
        headline=words.say("{plan} was not given", plan=access.plan_name),
        text=f"{access.server_name}: {_why_not(words, access.reason)}",
        action=action,
        url=url,
    )


def _why_not(words: Words, reason: Reason | None) -> str:
    match reason:
        case Reason.BANNED:
            return words.say(
                "This Discord account is banned there, so we cannot add it. Your payment was not touched: whether you "
                "get it back is up to the staff, please write to them."
            )
        case Reason.SERVER_LIMIT:
            return words.say("You are in as many servers as Discord allows. Leave one of them, then try again.")
        case Reason.ACCOUNT_GONE:
            return words.say("This Discord account is gone. Connect another: the link in your mail gets you a new one.")
        case Reason.TOKEN_EXPIRED:
            return words.say(
                "Discord's permission ran out. The link in your mail gets you a new one; connect once more."
            )
        case Reason.REFUNDED:
            return words.say("This purchase was refunded.")
        case Reason.CANCELLED | Reason.EXPIRED:
            return words.say("This purchase has ended.")
        case _:
            return words.say("The staff can see what to repair. You lose nothing, and the role follows by itself.")

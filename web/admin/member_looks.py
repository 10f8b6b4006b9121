"""A member's card in words: who they are, each managed role with has, should and why, each membership. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from locales.catalogue import Words, translatable
from membership.actors import Actor
from membership.addresses import masked
from membership.dossier import Dossier
from membership.errors import Reason
from membership.explanation import Cause, Explanation, RoleExplanation
from membership.model import Seen
from membership.records import HOUSE
from membership.search import Overview
from membership.shown import ShownGrant, ShownState
from web.admin.grant_words import (
    StateLook,
    look_of,
    next_words,
    price_words,
    proof_words,
    source_words,
    status_words,
)
from web.admin.provider_links import dashboard_url
from web.admin.staff_words import reason_text

MOST_BEHIND = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerLook:
    """Who pays for some of it; `url` leads to them at the payment platform, "" where that is not known."""

    name: str
    email: str
    source: str
    proof: str
    linked_at: object
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLook:
    """One role: `why` are sentences, the first of them the cause."""

    name: str
    role: RoleExplanation
    tone: str
    sign: str
    verdict: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLook:
    """One membership of the member, with what staff may do about it."""

    shown: ShownGrant
    look: StateLook
    status: str
    price: str
    source: str
    following: str
    can_extend: bool
    can_revoke: bool


def payers(words: Words, seen: Overview, actor: Actor) -> Sequence[PayerLook]:
    """Say who pays."""
    return [
        PayerLook(
            name=customer.name,
            email=customer.email if actor.can_data else masked(customer.email),
            source=source_words(words, account, customer.external_id),
            proof=proof_words(words, link.proof),
            linked_at=link.created_at,
            url=dashboard_url(account, customer.external_id),
        )
        for customer, account, link in seen.links
        if account.provider != HOUSE
    ]


def roles(words: Words, why: Explanation, zone: tzinfo) -> Sequence[RoleLook]:
    """Say of each managed role whether they have it, whether they should, and why."""
    return [_role(words, why, role, zone) for role in why.roles]


def grants(words: Words, dossier: Dossier, zone: tzinfo) -> Sequence[GrantLook]:
    """Say how each membership stands, the newest first."""
    found = []
    for shown in dossier.grants:
        payer = dossier.payers.get(shown.purchase.customer_id)
        account = None if payer is None else payer.account
        is_linked = payer is not None and payer.link is not None and payer.link.user_id == dossier.key.user_id
        found.append(
            GrantLook(
                shown=shown,
                look=look_of(words, shown, zone),
                status=status_words(words, shown.purchase.status),
                price=price_words(words, shown),
                source=source_words(words, account, shown.purchase.external_id),
                following=next_words(words, shown, zone),
                can_extend=is_linked and shown.at is not None,
                can_revoke=is_linked and shown.state not in (ShownState.REVOKED, ShownState.REMOVING),
            )
        )
    return found


def _role(words: Words, why: Explanation, role: RoleExplanation, zone: tzinfo) -> RoleLook:
    tone, sign = ("bad", "!") if role.is_off else ("ok", "✓") if role.should else ("off", "○")
    return RoleLook(
        name=f"@{role.name}" if role.name else words.say("a deleted role"),
        role=role,
        tone=tone,
        sign=sign,
        verdict=_verdict(words, role),
        why=tuple(_why(words, why, role, zone)),
    )


def _verdict(words: Words, role: RoleExplanation) -> str:
    if role.cause is Cause.FOREIGN:
        return words.say("Given by somebody else: never touched")
    if role.is_off:
        return words.say("Should have it, and has not") if role.should else words.say("Has it, and should not")
    return words.say("Has it, as it should be") if role.has else words.say("Has it not, as it should be")


def _why(words: Words, why: Explanation, role: RoleExplanation, zone: tzinfo) -> Iterator[str]:
    if role.is_off:
        yield _cause(words, why, role)
    for grant in role.grants[:MOST_BEHIND]:
        state = look_of(words, grant, zone)
        yield words.say(
            "{plan} (membership {number}): {state}", plan=grant.plan.name, number=grant.grant.id, state=state.text
        )
    if role.has and role.is_ours and role.changed_at is not None:
        yield words.say("Given by Doorlist on {day}", day=words.moment(role.changed_at, zone))
    elif role.has and role.should and not role.is_ours:
        yield words.say("Somebody else gave it before: it stays when the membership ends")
    elif not role.has and role.changed_at is not None:
        yield words.say("Taken by Doorlist on {day}", day=words.moment(role.changed_at, zone))
    job = why.job
    if role.is_off and job is not None and job.last_error:
        yield words.count("Tried {number} time so far", "Tried {number} times so far", job.attempts)


def _cause(words: Words, why: Explanation, role: RoleExplanation) -> str:
    match role.cause:
        case Cause.REFUSED if role.reason is not None:
            return words.say("Discord refuses: {reason}", reason=reason_text(words, role.reason))
        case Cause.WAITING:
            return words.say("It is about to be given") if role.should else words.say("It is about to be taken")
        case Cause.PAUSED if why.dossier.guild.pause_reason:
            return words.say("Role changes are paused here: {reason}", reason=why.dossier.guild.pause_reason)
        case Cause.EXEMPT if why.dossier.exemption is not None and why.dossier.exemption.reason:
            return words.say("This member is left alone: {reason}", reason=why.dossier.exemption.reason)
        case _:
            return words.say(_CAUSES[role.cause])


def presence(words: Words, seen: Overview, zone: tzinfo) -> StateLook:
    """Say whether they are in the server, as Discord shows it now."""
    if not seen.is_seen:
        return StateLook(tone="warn", sign="?", text=words.say("Discord could not be asked"))
    if not isinstance(seen.member, Seen):
        return StateLook(tone="warn", sign="○", text=words.say("Not in the server"))
    if seen.member.is_pending:
        return StateLook(tone="info", sign="○", text=reason_text(words, Reason.RULES_NOT_ACCEPTED))
    if seen.member.joined_at is None:
        return StateLook(tone="ok", sign="✓", text=words.say("In the server"))
    day = words.day(seen.member.joined_at, zone)
    return StateLook(tone="ok", sign="✓", text=words.say("In the server since {day}", day=day))


_CAUSES: Mapping[Cause, str] = {
    Cause.FINE: translatable("As it should be"),
    Cause.FOREIGN: translatable("Somebody else gave it, so it is never touched"),
    Cause.UNSEEN: translatable("Discord could not be asked. Try again in a minute"),
    Cause.PAUSED: translatable("Role changes are paused here"),
    Cause.EXEMPT: translatable("This member is left alone"),
    Cause.ABSENT: translatable("Paid and connected, but not in the server: send them the way in"),
    Cause.RULES: translatable("They have not accepted the server's rules"),
    Cause.REFUSED: translatable("Discord refuses"),
    Cause.HAND_REMOVED: translatable("Somebody took it by hand, and it is not put back again"),
    Cause.BRAKE: translatable("The brake holds this removal until a person decides"),
    Cause.WAITING: translatable("It is about to change"),
}

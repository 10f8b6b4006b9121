"""Answers everything under `/member`, whether it was typed, pressed or sent as a form. Words and looks: the card files.

Who may ask was checked before (frame); that an id is of this server is checked by the use-cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cogs import member_acts, member_cards
from cogs.durations import read_since, read_until
from cogs.member_history import history_card
from cogs.member_why import why_card
from cogs.requests import Request
from cogs.words import code_text
from membership import (
    comps,
    dossier,
    exemptions,
    explain,
    notes,
    refreshing,
    resending,
    search,
    staff_links,
    timeline,
)
from membership.comps import RevokeWhen, Terms
from membership.desk import Preview
from membership.dossier import Dossier
from membership.errors import UserError
from membership.model import ChangeId, CustomerId, GrantId, MemberKey, Plan, RoleId, UserId
from membership.resending import Via
from membership.shown import ShownGrant

PATIENCE = timedelta(seconds=3)
ROUNDS = 2
PREVIEW_LIFE = timedelta(minutes=10)
REVOKE = "revoke"


async def show_card(request: Request, user_id: UserId) -> None:
    """Show one member's card."""
    seen = await search.overview(request.services, request.actor, user_id)
    await request.show(member_cards.member_card(seen, request.actor))


async def show_found(request: Request, typed: str) -> None:
    """Show who fits what was typed; the card at once when it is one member."""
    found = await search.find(request.services, request.actor, typed)
    if len(found) == 1 and found[0].user_id is not None:
        await show_card(request, found[0].user_id)
    else:
        await request.show(member_cards.found_card(found, typed, request.actor))


async def show_why(request: Request, user_id: UserId, role_id: RoleId | None = None) -> None:
    """Explain a member's roles."""
    why = await explain.explain(request.services, request.actor, user_id, role_id)
    await request.show(why_card(why, request.actor))


async def show_history(request: Request, user_id: UserId, *, since: datetime | None, number: int = 0) -> None:
    """Show a page of a member's history."""
    page = await timeline.history(request.services, request.actor, user_id, since=since, number=number)
    await request.show(history_card(page, user_id, since))


def since_of(request: Request, typed: str) -> datetime | None:
    """Read how far to look back. Raises UserError."""
    return read_since(typed, request.services.clock.now())


def since_at(seconds: int) -> datetime | None:
    """Read the same from a button."""
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**32 else None


async def refresh(request: Request, user_id: UserId) -> None:
    """Read the purchases again and put the roles right."""
    done = await refreshing.refresh(request.services, request.actor, user_id)
    await request.show(member_acts.refreshed_card(done, request.actor))


async def link(request: Request, user_id: UserId, typed: str, reason: str) -> None:
    """Connect a member to a customer."""
    services, actor = request.services, request.actor
    customer_id = await search.customer(services, actor, typed)
    tied = await staff_links.link(services, actor, user_id, customer_id, reason)
    await request.show(member_acts.tied_card([tied], services.policy, actor))


async def unlink(request: Request, user_id: UserId, reason: str) -> None:
    """Disconnect a member from their customers."""
    tied = await staff_links.unlink(request.services, request.actor, user_id, reason)
    await request.show(member_acts.tied_card(tied, request.services.policy, request.actor))


async def move(request: Request, from_user: UserId, to_user: UserId, reason: str) -> None:
    """Move a membership to another account."""
    tied = await staff_links.move(request.services, request.actor, from_user, to_user, reason)
    await request.show(member_acts.tied_card(tied, request.services.policy, request.actor))


async def grant(request: Request, user_id: UserId, plan: Plan, lasting: str, reason: str) -> None:
    """Give a plan."""
    services, actor = request.services, request.actor
    until = read_until(lasting, services.clock.now())
    started = services.signals.tick()
    done = await comps.grant(services, actor, user_id, Terms(plan_id=plan.id, until=until, reason=reason))
    after = await _settled(request, user_id, done.keys, started)
    await request.show(member_acts.given_card(done, after, actor))


async def extend(request: Request, user_id: UserId, grant_id: GrantId, days: int, reason: str) -> None:
    """Add free days."""
    services, actor = request.services, request.actor
    started = services.signals.tick()
    done = await comps.extend(services, actor, grant_id, days, reason=reason)
    after = await _settled(request, user_id, done.keys, started)
    await request.show(member_acts.given_card(done, after, actor, days=days))


async def revoke(request: Request, user_id: UserId, grant_id: GrantId, *, when: RevokeWhen, reason: str) -> None:
    """End a grant at the end of what is paid; to end it now, ask once more first."""
    if when is RevokeWhen.PERIOD_END:
        await _revoke(request, user_id, grant_id, when=when, reason=reason)
        return
    services, actor = request.services, request.actor
    now = services.clock.now()
    known = await _dossier(request, user_id)
    found = known.grant(grant_id)
    if found is None or found.is_over:
        raise UserError(f"<@{user_id}> has no such grant here, or it has ended already.")
    preview = Preview(
        id=services.randomness.token(),
        guild_id=actor.guild_id,
        actor=str(actor),
        kind=REVOKE,
        content={"grant_id": int(grant_id), "user_id": int(user_id), "reason": reason},
        set_hash="",
        created_at=now,
        expires_at=now + PREVIEW_LIFE,
    )
    async with services.store.write() as tx:
        await tx.previews.put(preview)
    handle = await services.discord.handle(user_id)
    await request.show(member_acts.confirm_card(found, known, actor, preview.id, handle=handle))


async def revoke_now(request: Request, preview_id: str) -> None:
    """End a grant that somebody was asked about; a question of somebody else, or an old one, does nothing."""
    services, actor = request.services, request.actor
    async with services.store.write() as tx:
        asked = await tx.previews.take(preview_id, actor.guild_id, services.clock.now())
    if asked is None or asked.kind != REVOKE or asked.actor != str(actor):
        raise UserError("This question is more than ten minutes old, or was answered. Nothing was taken.")
    user_id, grant_id = UserId(int(str(asked.content["user_id"]))), GrantId(int(str(asked.content["grant_id"])))
    await _revoke(request, user_id, grant_id, when=RevokeWhen.NOW, reason=str(asked.content["reason"]))


async def _revoke(request: Request, user_id: UserId, grant_id: GrantId, *, when: RevokeWhen, reason: str) -> None:
    services, actor = request.services, request.actor
    started = services.signals.tick()
    done = await comps.revoke(services, actor, grant_id, when=when, reason=reason)
    after = await _settled(request, user_id, done.keys, started)
    await request.show(member_acts.revoked_card(done, after, actor, is_now=when is RevokeWhen.NOW))


async def resend(request: Request, customer_id: CustomerId, via: Via) -> None:
    """Send a delivery message again."""
    sent = await resending.resend(request.services, request.actor, customer_id, via)
    await request.show(member_acts.resent_card([sent], request.actor))


async def resend_to_member(request: Request, user_id: UserId) -> None:
    """Send the mails of a member again."""
    sent = await resending.resend_all(request.services, request.actor, user_id)
    await request.show(member_acts.resent_card(sent, request.actor))


async def exempt(request: Request, user_id: UserId, lasting: str, reason: str) -> None:
    """Leave a member's roles alone."""
    until = read_until(lasting, request.services.clock.now()) if lasting.strip() else None
    change_id = await exemptions.exempt(request.services, request.actor, user_id, until=until, reason=reason)
    await _show_exemption(request, user_id, change_id)


async def lift(request: Request, user_id: UserId) -> None:
    """Look after a member's roles again."""
    await _show_exemption(request, user_id, await exemptions.lift(request.services, request.actor, user_id))


async def _show_exemption(request: Request, user_id: UserId, change_id: ChangeId) -> None:
    await request.show(member_acts.exempt_card(change_id, await _dossier(request, user_id), request.actor))


async def note(request: Request, user_id: UserId, text: str) -> None:
    """Write a note, and show the card with it."""
    await notes.note(request.services, request.actor, user_id, text)
    await show_card(request, user_id)


async def open_grants(request: Request, user_id: UserId) -> Sequence[ShownGrant]:
    """Return what a member has that has not ended."""
    known = await _dossier(request, user_id)
    return [grant for grant in known.grants if not grant.is_over]


async def grant_of(request: Request, user_id: UserId, typed: str) -> GrantId:
    """Return the grant of a member that an option means: picked from the list, or a plan's name. Raises UserError."""
    known = await _dossier(request, user_id)
    wanted = typed.strip().casefold().lstrip("#")
    by_number = [each for each in known.grants if str(each.grant.id) == wanted]
    by_name = [each for each in known.grants if not each.is_over and each.plan.name.casefold() == wanted]
    found = by_number or by_name
    if len(found) != 1:
        raise UserError(f"<@{user_id}> has no such grant here. Choose one from the list.")
    return found[0].grant.id


async def plan_of(request: Request, typed: str) -> Plan:
    """Return the plan that an option means: picked from the list, or its name. Raises UserError."""
    wanted = typed.strip().casefold()
    for plan in await open_plans(request):
        if wanted in (str(plan.id), plan.name.casefold()):
            return plan
    raise UserError(f"There is no plan “{code_text(typed)}” in this server. Choose one from the list.")


async def open_plans(request: Request) -> Sequence[Plan]:
    """Return the server's plans that can be given."""
    async with request.services.store.read() as tx:
        return [plan for plan in await tx.plans.all(request.guild_id) if not plan.is_archived]


async def _settled(request: Request, user_id: UserId, keys: Sequence[MemberKey], started: int) -> Dossier:
    """Wait a moment for the roles, so that the answer can tell of them, and read the member again."""
    services, names = request.services, [str(key) for key in keys]
    for _ in range(ROUNDS):
        is_done = await services.signals.wait(names, since=started, patience=PATIENCE)
        started = services.signals.tick()
        async with services.store.read() as tx:
            jobs = [await tx.jobs.status("member", name) for name in names]
        # A look that had begun before the act says nothing of it: the next one is on its way.
        if not is_done or not any(job is not None and job.due_at <= services.clock.now() for job in jobs):
            break
    return await _dossier(request, user_id)


async def _dossier(request: Request, user_id: UserId) -> Dossier:
    async with request.services.store.read() as tx:
        return await dossier.read(tx, MemberKey(request.guild_id, user_id), request.services.clock.now())

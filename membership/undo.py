"""Take back what staff changed: for seven days, in the server it was changed in, while nobody changed it again.

Every kind of change (change_kinds.py) has one pair: how it stands now, and how it is put back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from membership import adoption, comps, exemptions, importing, notices, server_settings, staff_links
from membership.actors import Actor
from membership.browsing import MailText
from membership.change_kinds import (
    ChangeKind,
    Json,
    adoption_json,
    exemption_json,
    mail_text_json,
    moment_of,
    plan_json,
    plan_of,
    rule_json,
)
from membership.desk import Adoption, AdoptionPolicy, Change, Exemption, NotificationRule, NotifyMode
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import (
    ChangeId,
    ChannelId,
    CustomerId,
    GrantId,
    Lane,
    MemberKey,
    OnEnd,
    PlanId,
    Proof,
    PurchaseId,
    RoleId,
    UserId,
)
from membership.recording import Occasion
from membership.records import Link
from membership.services import Services

LASTS = timedelta(days=7)
MOST_LISTED = 25
_BY_STAFF = frozenset({ChangeKind.COMP, ChangeKind.REVOKE, ChangeKind.LINK, ChangeKind.EXEMPTION})
"""What support staff may do, and so take back of their own; the rest is for Manage Server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was taken back. `may_be_outside`: whom it concerns may have been kicked, and that stays."""

    change: Change
    may_be_outside: bool = False


async def recent(services: Services, actor: Actor) -> Sequence[Change]:
    """Return the last 25 changes that the actor can take back, newest first."""
    since = services.clock.now() - LASTS
    async with services.store.read() as tx:
        found = await tx.changes.recent(actor.guild_id, since, 4 * MOST_LISTED)
    return [change for change in found if change.undone_at is None and _may(actor, change)][:MOST_LISTED]


async def undo(services: Services, actor: Actor, change_id: ChangeId) -> Undone:
    """Put back what one change of the actor's server changed. Raises UserError when it cannot be taken back."""
    now = services.clock.now()
    async with services.store.write() as tx:
        change = await tx.changes.get(change_id, actor.guild_id)
        if change is None or not _may(actor, change):
            raise UserError("There is no such change in this server that you can undo.")
        if now - change.at > LASTS:
            raise UserError("Changes can be undone for seven days, and this one is older.")
        if not await tx.changes.mark_undone(change_id, now):
            raise UserError("This change was undone already.")
        inverse = _INVERSES[ChangeKind(change.kind)]
        present = await inverse.present(tx, change)
        _require_untouched(change, present)
        occasion = Occasion(now=now, lane=Lane.PERSON, policy=services.policy)
        await inverse.put_back(tx, change, actor, occasion)
        detail = {"undone_change_id": int(change.id), "summary": change.summary, "actor_name": actor.name}
        await notices.tell(tx, "staff.undo", actor.guild_id, detail, now, actor=str(actor))
        undone = Undone(change=change, may_be_outside=await _may_have_kicked(tx, change))
    services.wake()
    return undone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inverse:
    """How a kind of change stands now, in the shape of `after`, and how its `before` is put back."""

    present: Callable[[Transaction, Change], Awaitable[Mapping[str, object]]]
    put_back: Callable[[Transaction, Change, Actor, Occasion], Awaitable[None]]


def _may(actor: Actor, change: Change) -> bool:
    is_own = change.kind in _BY_STAFF and change.actor == str(actor)
    return change.kind in set(ChangeKind) and (actor.can_manage or is_own)


def _require_untouched(change: Change, present: Mapping[str, object]) -> None:
    """Refuse when somebody changed it again meanwhile: what is there now is what they want."""
    names = change.after.keys() | present.keys() if not (change.after and present) else change.after.keys()
    differing = sorted(name for name in names if change.after.get(name) != present.get(name))
    if differing:
        now = ", ".join(f"{name} is {present.get(name, 'gone')}" for name in differing[:3])
        raise UserError(f"It was changed again meanwhile: {now}. Nothing was undone; change it by hand instead.")


async def _may_have_kicked(tx: Transaction, change: Change) -> bool:
    if change.kind == ChangeKind.PLAN:
        return change.after.get("on_end") == OnEnd.KICK
    if change.kind == ChangeKind.REVOKE:
        grant = await tx.purchases.grant_in_guild(GrantId(_number(change.after["grant_id"])), change.guild_id)
        return grant is not None and (await tx.plans.get(grant.plan_id)).on_end is OnEnd.KICK
    return False


# ------------------------------------------------------------------------------------------------ settings and rules


async def _settings(tx: Transaction, change: Change) -> Json:
    guild = await tx.guilds.get(change.guild_id)
    present = {} if guild is None else server_settings.plain(guild)
    return {name: present.get(name) for name in change.after}


async def _put_settings(tx: Transaction, change: Change, _actor: Actor, _occasion: Occasion) -> None:
    guild = await tx.guilds.get(change.guild_id)
    if guild is not None:
        values = server_settings.read(change.before)
        await tx.guilds.replace(replace(guild, **values))  # type: ignore[arg-type]  # what `plain` wrote


async def _rule(tx: Transaction, change: Change) -> Json:
    event = _either(change, "event")
    rules = [rule for rule in await tx.rules.of_guild(change.guild_id) if rule.event == event]
    return rule_json(rules[0]) if rules else {}


async def _put_rule(tx: Transaction, change: Change, _actor: Actor, _occasion: Occasion) -> None:
    before = change.before
    if not before:
        await tx.rules.clear(change.guild_id, str(change.after["event"]))
        return
    channel_id, ping_role_id = before["channel_id"], before["ping_role_id"]
    await tx.rules.put(
        NotificationRule(
            guild_id=change.guild_id,
            event=str(before["event"]),
            mode=NotifyMode(str(before["mode"])),
            channel_id=None if channel_id is None else ChannelId(_number(channel_id)),
            ping_role_id=None if ping_role_id is None else RoleId(_number(ping_role_id)),
        )
    )


async def _adoption(tx: Transaction, change: Change) -> Json:
    found = await tx.adoptions.get(change.guild_id, RoleId(_number(_either(change, "role_id"))))
    return {} if found is None else adoption_json(found)


async def _put_adoption(tx: Transaction, change: Change, actor: Actor, occasion: Occasion) -> None:
    role_id, before = RoleId(_number(_either(change, "role_id"))), change.before
    earlier = None
    if before:
        earlier = Adoption(
            guild_id=change.guild_id,
            role_id=role_id,
            policy=AdoptionPolicy(str(before["policy"])),
            decided_by=str(actor),
            decided_at=occasion.now,
            notice_until=moment_of(before["notice_until"]),
        )
    await adoption.take_back(tx, (change.guild_id, role_id), earlier, occasion.now)


# ------------------------------------------------------------------------------------------------------ what is sold


async def _plan(tx: Transaction, change: Change) -> Json:
    found = await tx.plans.in_guild(PlanId(_number(change.after["id"])), change.guild_id)
    return {} if found is None else plan_json(found)


async def _put_plan(tx: Transaction, change: Change, _actor: Actor, occasion: Occasion) -> None:
    """Put a plan back; one that was new is archived, since people may have bought it."""
    plan = plan_of(change.before) if change.before else replace(plan_of(change.after), is_archived=True)
    await tx.plans.replace(plan)
    await tx.jobs.mark("plan", str(plan.id), lane=Lane.PLAN, run_at=occasion.now)


async def _plan_code(tx: Transaction, change: Change) -> Json:
    found = await tx.plan_codes.named(_digests(change), change.guild_id)
    return {"digests": change.after["digests"], "is_void": any(code.is_void for code in found)} if found else {}


async def _put_plan_code(tx: Transaction, change: Change, _actor: Actor, _occasion: Occasion) -> None:
    """Switch codes back; those that were new are switched off, since people may have them already."""
    is_void = not change.before or bool(change.before["is_void"])
    await tx.plan_codes.set_void(_digests(change), change.guild_id, is_void=is_void)


def _digests(change: Change) -> list[str]:
    listed = change.after["digests"]
    return [str(digest) for digest in listed] if isinstance(listed, list) else []


# ------------------------------------------------------------------------------------------------------------ people


async def _exemption(tx: Transaction, change: Change) -> Json:
    found = await tx.exemptions.get(_exempt_key(change), change.at)
    return {} if found is None else exemption_json(found)


async def _put_exemption(tx: Transaction, change: Change, actor: Actor, occasion: Occasion) -> None:
    key, before = _exempt_key(change), change.before
    if not before:
        await exemptions.drop(tx, key, occasion.now)
        return
    until, reason = moment_of(before["until"]), str(before["reason"])
    await exemptions.put(
        tx, Exemption(key=key, until=until, reason=reason, actor=str(actor), created_at=occasion.now), occasion.now
    )


def _exempt_key(change: Change) -> MemberKey:
    return MemberKey(change.guild_id, UserId(_number(_either(change, "user_id"))))


async def _revocation(tx: Transaction, change: Change) -> Json:
    found = await tx.purchases.grant_in_guild(GrantId(_number(change.after["grant_id"])), change.guild_id)
    return {} if found is None else comps.revocation_json(found)


async def _put_revocation(tx: Transaction, change: Change, _actor: Actor, occasion: Occasion) -> None:
    grant = await tx.purchases.grant_in_guild(GrantId(_number(change.after["grant_id"])), change.guild_id)
    if grant is not None:
        await comps.set_revocation(tx, grant, moment_of(change.before["revoke_at"]), occasion)


async def _comp(tx: Transaction, change: Change) -> Json:
    found = await tx.purchases.in_guild(PurchaseId(_number(change.after["purchase_id"])), change.guild_id)
    return {} if found is None else comps.gift_json(found)


async def _put_comp(tx: Transaction, change: Change, _actor: Actor, occasion: Occasion) -> None:
    await comps.set_gift(tx, PurchaseId(_number(change.after["purchase_id"])), change.before, occasion)


async def _link(tx: Transaction, change: Change) -> Json:
    customer_id = CustomerId(_number(change.after["customer_id"]))
    if await tx.customers.in_guild(customer_id, change.guild_id) is None:
        return {}
    found = await tx.links.active(customer_id)
    return {"customer_id": int(customer_id), "user_id": None if found is None else int(found.user_id)}


async def _put_link(tx: Transaction, change: Change, actor: Actor, occasion: Occasion) -> None:
    customer_id, user_id = CustomerId(_number(change.after["customer_id"])), change.before["user_id"]
    # They may have bought in another server since.
    await staff_links.refuse_elsewhere(tx, actor, customer_id)
    if user_id is not None:
        made = Link(
            customer_id=customer_id,
            user_id=UserId(_number(user_id)),
            proof=Proof.STAFF,
            created_at=occasion.now,
        )
        await staff_links.tie(tx, made, str(actor))
        return
    await staff_links.untie(tx, customer_id, str(actor), occasion)


async def _import(_tx: Transaction, change: Change) -> Json:
    """Return an import as it was: what was changed since is left alone row by row."""
    return dict(change.after)


async def _put_import(tx: Transaction, change: Change, _actor: Actor, occasion: Occasion) -> None:
    await importing.mark_undo(tx, change, occasion.now)


async def _mail_text(tx: Transaction, change: Change) -> Json:
    template, language = str(change.after["template"]), str(change.after["language"])
    found = await tx.mail_texts.get(change.guild_id, template, language)
    return mail_text_json(found or MailText(guild_id=change.guild_id, template=template, language=language))


async def _put_mail_text(tx: Transaction, change: Change, _actor: Actor, _occasion: Occasion) -> None:
    written = {name: str(value) for name, value in change.before.items()}
    await tx.mail_texts.put(MailText(guild_id=change.guild_id, **written))


_INVERSES: Mapping[ChangeKind, _Inverse] = {
    ChangeKind.GUILD: _Inverse(present=_settings, put_back=_put_settings),
    ChangeKind.RULE: _Inverse(present=_rule, put_back=_put_rule),
    ChangeKind.ADOPTION: _Inverse(present=_adoption, put_back=_put_adoption),
    ChangeKind.PLAN: _Inverse(present=_plan, put_back=_put_plan),
    ChangeKind.PLAN_CODE: _Inverse(present=_plan_code, put_back=_put_plan_code),
    ChangeKind.EXEMPTION: _Inverse(present=_exemption, put_back=_put_exemption),
    ChangeKind.REVOKE: _Inverse(present=_revocation, put_back=_put_revocation),
    ChangeKind.COMP: _Inverse(present=_comp, put_back=_put_comp),
    ChangeKind.LINK: _Inverse(present=_link, put_back=_put_link),
    ChangeKind.IMPORT: _Inverse(present=_import, put_back=_put_import),
    ChangeKind.MAIL_TEXT: _Inverse(present=_mail_text, put_back=_put_mail_text),
}


def _either(change: Change, name: str) -> object:
    """Return what names the thing: on the side where there was one."""
    return change.after[name] if name in change.after else change.before[name]


def _number(written: object) -> int:
    return int(str(written))

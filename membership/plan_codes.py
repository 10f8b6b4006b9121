"""Codes that give a plan: made by staff, shown once, listed by their label, switched off. Redeeming: gift_codes.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from membership import codes, plan_checks
from membership.actors import Actor
from membership.change_kinds import ChangeKind
from membership.desk import PlanCode, PlanCodeLabel, PlanCodeUse
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import ChangeId, Plan, PlanId
from membership.services import Services
from membership.staff_acts import StaffAct, write_down

MOST_AT_ONCE = 500
MOST_USES = 10_000
MOST_OF_LABEL = 5000
"""Codes with one label: they are switched off in one go."""
MOST_LABELS = 100
LONGEST_LABEL = 60
LONGEST_DAYS = 366 * 20
PAGE = 8
USES_SHOWN = 5
_LABEL_NAME = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is made: `count` codes, each for `max_uses` people. `days` None: for ever; `label` "": one is found."""

    plan_id: PlanId
    days: int | None
    count: int = 1
    max_uses: int = 1
    expires_at: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """New codes, in clear for the only time."""

    change_id: ChangeId
    plan: Plan
    terms: Terms
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One code with its plan and who used it last."""

    code: PlanCode
    plan: Plan
    uses: tuple[PlanCodeUse, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the codes with one label."""

    label: PlanCodeLabel
    page: int
    codes: tuple[Listed, ...]

    @property
    def pages(self) -> int:
        """Return how many pages there are."""
        return max(1, -(-self.label.codes // PAGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be switched off: one code by its digest, or all codes with a label. `count`: those still in use."""

    kind: str
    name: str
    label: str
    count: int
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """What was switched off, and what takes it back."""

    target: Target
    change_id: ChangeId


async def create(services: Services, actor: Actor, terms: Terms) -> Created:
    """Make codes. Raises UserError."""
    now = services.clock.now()
    _check(terms, now)
    made = tuple(services.randomness.code() for _ in range(terms.count))
    digests = [codes.digest(code) for code in made]
    async with services.store.write() as tx:
        plan = await tx.plans.in_guild(terms.plan_id, actor.guild_id)
        if plan is None or plan.is_archived:
            raise UserError("There is no such plan on sale in this server. Choose one from the list.")
        plan_checks.refuse_power(services, actor, plan)
        label = " ".join(terms.label.split())[:LONGEST_LABEL] or f"{plan.name[: LONGEST_LABEL - 11]} {now:%Y-%m-%d}"
        await _require_room(tx, actor, label, terms.count)
        code = PlanCode(
            digest="",
            guild_id=actor.guild_id,
            plan_id=plan.id,
            duration_days=terms.days,
            max_uses=terms.max_uses,
            expires_at=terms.expires_at,
            label=label,
            created_by=str(actor),
            created_at=now,
        )
        for digest in digests:
            await tx.plan_codes.add(replace(code, digest=digest))
        act = StaffAct(
            kind=ChangeKind.PLAN_CODE,
            summary=f"{_codes(terms.count)} made for {plan.name}, label {label}",
            before={},
            after={"digests": digests, "is_void": False},
        )
        change_id = await write_down(tx, actor, act, now)
    return Created(change_id=change_id, plan=plan, terms=replace(terms, label=label), codes=made)


async def labels(services: Services, actor: Actor) -> Sequence[PlanCodeLabel]:
    """Return what the codes of the actor's server come to by label, the newest first."""
    async with services.store.read() as tx:
        return await tx.plan_codes.labels(actor.guild_id, MOST_LABELS)


async def listing(services: Services, actor: Actor, label: str, page: int) -> Listing:
    """Return a page of the codes with a label (its text or its `label_name`). Raises UserError."""
    async with services.store.read() as tx:
        found = await _label(tx, actor, label)
        last = max(0, (found.codes - 1) // PAGE)
        page = min(max(page, 0), last)
        plans = {plan.id: plan for plan in await tx.plans.all(actor.guild_id)}
        shown = await tx.plan_codes.of_guild(actor.guild_id, PAGE, label=found.label, after=page * PAGE)
        listed = [
            Listed(code=code, plan=plans[code.plan_id], uses=tuple(await tx.plan_codes.uses(code.digest, USES_SHOWN)))
            for code in shown
        ]
    return Listing(label=found, page=page, codes=tuple(listed))


async def target(services: Services, actor: Actor, text: str) -> Target:
    """Say what somebody means to switch off: a code as it is typed, a code's digest, or a label. Raises UserError."""
    async with services.store.read() as tx:
        found, _ = await _target(tx, actor, text)
    return found


async def void(services: Services, actor: Actor, text: str, count: int) -> Voided | Target:
    """Switch off what `target` found, if it is still `count` codes; else return what it is now. Raises UserError.

    Whoever has used one keeps what it gave.
    """
    now = services.clock.now()
    async with services.store.write() as tx:
        found, digests = await _target(tx, actor, text)
        if found.count != count:
            return found
        await tx.plan_codes.set_void(digests, actor.guild_id, is_void=True)
        act = StaffAct(
            kind=ChangeKind.PLAN_CODE,
            summary=f"{_codes(count)} switched off, label {found.label}",
            before={"digests": digests, "is_void": False},
            after={"digests": digests, "is_void": True},
        )
        return Voided(target=found, change_id=await write_down(tx, actor, act, now))


def label_name(label: str) -> str:
    """Name a label in few plain characters, as a button carries it."""
    return codes.digest(label)[:_LABEL_NAME]


def _check(terms: Terms, now: datetime) -> None:
    if not 1 <= terms.count <= MOST_AT_ONCE:
        raise UserError(f"{terms.count} codes do not work: make 1 to {MOST_AT_ONCE} at once.")
    if not 1 <= terms.max_uses <= MOST_USES:
        raise UserError(f"{terms.max_uses} uses do not work: use 1 to {MOST_USES}.")
    if terms.days is not None and not 1 <= terms.days <= LONGEST_DAYS:
        raise UserError("That is too short or too long: a code gives a plan for 1 day to 20 years, or for ever.")
    if terms.expires_at is not None and terms.expires_at <= now:
        raise UserError("That moment has passed. Choose one in the future.")


async def _require_room(tx: Transaction, actor: Actor, label: str, count: int) -> None:
    known = [each for each in await tx.plan_codes.labels(actor.guild_id, MOST_LABELS) if each.label == label]
    if known and known[0].codes + count > MOST_OF_LABEL:
        raise UserError(f"There would be more than {MOST_OF_LABEL} codes with this label. Choose another label.")


async def _label(tx: Transaction, actor: Actor, text: str) -> PlanCodeLabel:
    wanted = " ".join(text.split())
    for label in await tx.plan_codes.labels(actor.guild_id, MOST_LABELS):
        if wanted in (label.label, label_name(label.label)):
            return label
    raise UserError("There are no codes with this label in this server. Choose one from the list.")


async def _target(tx: Transaction, actor: Actor, text: str) -> tuple[Target, list[str]]:
    """Return what is meant with the digests of those that are still in use. Raises UserError."""
    typed = codes.normalise(text)
    digest = text if typed is None else codes.digest(typed)
    one = await tx.plan_codes.named([digest], actor.guild_id)
    if one:
        found, kind, name, label = one, "code", digest, one[0].label
    else:
        known = await _label(tx, actor, text)
        found = await tx.plan_codes.of_guild(actor.guild_id, MOST_OF_LABEL, label=known.label)
        kind, name, label = "label", label_name(known.label), known.label
    in_use = [code for code in found if not code.is_void]
    if not in_use:
        raise UserError("This is switched off already. Nothing was changed.")
    target = Target(kind=kind, name=name, label=label, count=len(in_use), uses=sum(code.uses for code in in_use))
    return target, [code.digest for code in in_use]


def _codes(count: int) -> str:
    return "1 code" if count == 1 else f"{count} codes"

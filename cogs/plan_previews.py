"""Shows a plan's preview while it is counted, and does what is pressed on it: look, page, download, apply.

Every way to change a plan ends here, so that nothing touches more than one member without having been seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cogs import plan_checks, plan_reading, role_holders
from cogs.cards import Tone
from cogs.frame import Frame
from cogs.plan_cards import adopt_card, adopted_card, applied_card
from cogs.preview_cards import Notes, counting_card, differs_card, file_card, page_card, preview_card
from cogs.requests import Request
from membership import adoption, plans, preview
from membership.adoption import Holders, Wish
from membership.desk import AdoptionPolicy
from membership.errors import Blocked, Retry, UserError
from membership.model import Plan, RoleId
from membership.plan_effects import NEW_ROLE, Fate, Tally
from membership.preview import Differs, Shown

FIRST_LOOK_SECONDS = 1.0
NEXT_LOOK_SECONDS = 5.0


class PlanPreviews:
    """The buttons of previews and of the question about earlier holders."""

    def __init__(self, frame: Frame) -> None:
        """Register what can be pressed."""
        frame.on("plan-look", self._look)
        frame.on("plan-see", self._see)
        frame.on("plan-csv", self._download)
        frame.on("plan-apply", self._apply)
        frame.on("adopt-ask", self._ask)
        frame.on("adopt-decide", self._decide)

    async def show(self, request: Request, plan: Plan, *, lines: Sequence[str] = ()) -> None:
        """Count what a plan would do, showing how far that is, and offer to apply exactly this. Raises UserError."""
        plans.check(plan)
        tally = await self._count(request, plan)
        shown = await preview.keep(request.services, request.actor, plan, tally)
        notes = await _notes(request, shown, (*lines, *await _holder_lines(request, shown)))
        await request.show(preview_card(shown, notes, request.services.clock.now() + preview.LASTS))

    async def _count(self, request: Request, plan: Plan) -> Tally:
        """Count; the first people are shown after a second, however many there are."""
        clock = asyncio.get_running_loop().time
        next_look_at, tally = clock() + FIRST_LOOK_SECONDS, Tally()
        async for counted in preview.count(request.services, plan):
            tally = counted
            if clock() >= next_look_at and tally.done < tally.total:
                await request.show(counting_card(plan, tally))
                next_look_at = clock() + NEXT_LOOK_SECONDS
        return tally

    async def _look(self, request: Request) -> None:
        """Go back from a page to the whole."""
        (preview_id,) = request.args
        shown = await preview.look(request.services, request.actor, preview_id)
        notes = await _notes(request, shown)
        await request.show(preview_card(shown, notes, request.services.clock.now() + preview.LASTS))

    async def _see(self, request: Request) -> None:
        preview_id, fate, page = request.args
        if fate not in set(Fate) or not page.lstrip("-").isdecimal():
            raise UserError("There is no such list in this preview.")
        shown = await preview.look(request.services, request.actor, preview_id)
        await request.show(page_card(shown, Fate(fate), int(page)))

    async def _download(self, request: Request) -> None:
        (preview_id,) = request.args
        shown = await preview.look(request.services, request.actor, preview_id)
        await request.add(await asyncio.to_thread(file_card, shown))

    async def _apply(self, request: Request) -> None:
        """Apply a preview. The roles are checked again: they, or who presses, may be others than before."""
        (preview_id,) = request.args
        shown = await preview.look(request.services, request.actor, preview_id)
        refused = await plan_checks.refusal(request, shown.plan, shown.before)
        if refused is not None:
            await request.show(refused)
            return
        done = await preview.apply(request.services, request.actor, preview_id)
        if isinstance(done, Differs):
            notes = await _notes(request, done.shown)
            await request.show(differs_card(done, notes, request.services.clock.now() + preview.LASTS))
            return
        await request.show(applied_card(done, await self._undecided(request, shown)))

    async def _undecided(self, request: Request, shown: Shown) -> list[Holders]:
        """Return who had a role that is mapped for the first time, and about whom nobody has decided yet."""
        known = frozenset[RoleId]() if shown.before is None else shown.before.all_roles
        undecided: list[Holders] = []
        for role_id in sorted(set(shown.plan.roles) - known - {NEW_ROLE}):
            async with request.services.store.read() as tx:
                is_decided = await tx.adoptions.get(request.guild_id, role_id) is not None
            holders = None if is_decided else await role_holders.counted(request, role_id)
            if holders is not None and holders.user_ids:
                undecided.append(holders)
        return undecided

    async def _ask(self, request: Request) -> None:
        (role_id,) = request.args
        try:
            await request.show(adopt_card(await role_holders.all_of(request, RoleId(int(role_id)))))
        except (Blocked, Retry):
            await request.say(_CANNOT_COUNT, tone=Tone.WARN)

    async def _decide(self, request: Request) -> None:
        policy, role_id, set_hash = request.args
        wish = Wish(role_id=RoleId(int(role_id)), policy=AdoptionPolicy(policy), set_hash=set_hash)
        await request.show(adopted_card(await adoption.adopt(request.services, request.actor, wish)))


_CANNOT_COUNT = (
    "I could not count who has the role: Discord shows the member list only with the Server Members intent, and not "
    "while it has trouble. Until you decide, these people are left alone."
)


async def _holder_lines(request: Request, shown: Shown) -> list[str]:
    """Say how many have the plan's roles without a purchase, for those that exist."""
    lines: list[str] = []
    for role_id in shown.plan.roles:
        if role_id not in request.services.discord.roles(request.guild_id):
            continue
        holders = await role_holders.counted(request, role_id)
        if holders is None:
            lines.append(f"Could not count who has <@&{role_id}> without a purchase; they are left alone.")
        elif holders.user_ids:
            # Those who are about to get it from this plan have it already, too.
            others = len(set(holders.user_ids) - await asyncio.to_thread(shown.tally.users))
            if others:
                have = "has" if others == 1 else "have"
                number = role_holders.number_text(others, holders)
                lines.append(f"**{number}** {have} <@&{role_id}> without a purchase (left alone)")
    return lines


async def _notes(request: Request, shown: Shown, lines: Sequence[str] = ()) -> Notes:
    """Return what is said beside a preview's numbers: the names of the products and what has to be confirmed."""
    products = await plan_reading.product_names(request.services, shown.plan)
    danger = plan_checks.danger(request, shown.plan, shown.before)
    return Notes(lines=tuple(lines), danger=danger, products=tuple(products))

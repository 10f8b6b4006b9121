"""`/doorlist brake`, `pause` and `resume`: what holds removals back, and a person's word on it."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.cards import Tone
from cogs.frame import Frame
from cogs.requests import Request
from cogs.safety_cards import batch_card, batches_card, in_words, list_card, paused_card, release_card, resume_card
from cogs.suggestions import Choices, choices
from membership import holds, pauses
from membership.errors import UserError
from membership.model import BatchId
from membership.records import Batch


async def held_batches(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest what is held in this server."""
    request = Request.of(interaction)
    found = await holds.held_in(request.services, request.guild_id)
    return choices(((in_words(batch), str(batch.id)) for batch in found), typed)


class Safety(commands.Cog):
    """Decides held batches, stops and starts role changes. Every batch is looked up in the person's own server."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        self._services = frame.services
        frame.add_to_doorlist("brake", "Review a held batch of removals", self.brake)
        frame.add_to_doorlist("pause", "Stop all role changes until you resume", self.pause)
        frame.add_to_doorlist("resume", "Start role changes again. Shows a preview first", self.resume)
        frame.on("brake-show", self._show)
        frame.on("brake-list", self._list)
        frame.on("brake-release", self._ask)
        frame.on("brake-release-now", self._release)
        frame.on("brake-release-one", self._release_one)
        frame.on("brake-discard", self._discard)
        frame.on("resume", self._show_waiting)
        frame.on("resume-now", self._resume)

    @app_commands.describe(batch="Which one; leave it empty to see all")
    @app_commands.autocomplete(batch=held_batches)
    async def brake(self, interaction: discord.Interaction, batch: str = "") -> None:
        """Show one held batch, or all of them."""
        request = Request.of(interaction)
        if batch:
            await self._show_batch(request, await self._batch(request, batch))
            return
        found = await holds.held_in(self._services, request.guild_id)
        if len(found) == 1:
            await self._show_batch(request, found[0])
        else:
            await request.show(batches_card(found))

    @app_commands.describe(reason="Why, for the others on staff")
    async def pause(self, interaction: discord.Interaction, reason: str = "") -> None:
        """Stop all role changes in this server."""
        request = Request.of(interaction)
        await request.show(paused_card(await pauses.pause(self._services, request.actor, reason)))

    async def resume(self, interaction: discord.Interaction) -> None:
        """Show what would happen on going on."""
        await self._show_waiting(Request.of(interaction))

    async def _show_waiting(self, request: Request) -> None:
        await request.show(resume_card(await pauses.waiting(self._services, request.actor)))

    async def _resume(self, request: Request) -> None:
        await pauses.resume(self._services, request.actor)
        await request.say("▶️ Role changes go on. What waited is looked at now.", tone=Tone.GOOD)

    # ----------------------------------------------------------------------------------------------------- the brake

    async def _show(self, request: Request) -> None:
        await self._show_batch(request, await self._batch(request, *request.args[:1]))

    async def _show_batch(self, request: Request, batch: Batch, note: str = "") -> None:
        reasons = await holds.reasons(self._services, batch)
        await request.show(batch_card(batch, reasons, self._services.policy, note))

    async def _list(self, request: Request) -> None:
        batch = await self._batch(request, *request.args[:1])
        page = request.args[1] if len(request.args) > 1 else "0"
        await request.show(list_card(batch, int(page) if page.isdecimal() else 0))

    async def _ask(self, request: Request) -> None:
        """Ask once more; a list that grew since is shown as it is now."""
        batch = await self._batch(request, *request.args[:1])
        if request.args[1:] != (batch.set_hash,):
            await self._show_batch(request, batch, "The list has changed since you saw it. This is the present one.")
            return
        await request.show(release_card(batch))

    async def _release(self, request: Request) -> None:
        batch = await self._batch(request, *request.args[:1])
        done = await holds.release(self._services, batch.id, _set_hash(request), str(request.actor))
        await request.say(
            f"✅ Released {len(done.removals)} removals. They go on now; the event log tells what became of each.",
            tone=Tone.GOOD,
        )

    async def _release_one(self, request: Request) -> None:
        batch = await self._batch(request, *request.args[:1])
        done = await holds.release_one(self._services, batch.id, _set_hash(request), str(request.actor))
        note = f"✅ Released 1: <@{done.removals[0].key.user_id}>. Look at them, then decide about the others."
        left = [each for each in await holds.held_in(self._services, request.guild_id) if each.id == batch.id]
        if left:
            await self._show_batch(request, left[0], note)
        else:
            await request.say(note, tone=Tone.GOOD)

    async def _discard(self, request: Request) -> None:
        batch = await self._batch(request, *request.args[:1])
        done = await holds.discard(self._services, batch.id, _set_hash(request), str(request.actor))
        await request.say(
            f"✅ Discarded. {len(done.removals)} removals will not happen: these members keep what they have.",
            tone=Tone.GOOD,
        )

    async def _batch(self, request: Request, text: str = "") -> Batch:
        if not text.isdecimal():
            raise UserError("There is no such held batch in this server. Choose one from the list.")
        return await holds.held(self._services, request.guild_id, BatchId(int(text)))


def _set_hash(request: Request) -> str:
    return request.args[1] if len(request.args) > 1 else ""

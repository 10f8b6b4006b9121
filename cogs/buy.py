"""`/buy` and the panel's Buy button: the plans of this server, and a personal checkout that needs no connecting."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands
from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from cogs import buy_cards as cards
from cogs.arrivals import Arrivals, Awaited
from cogs.buy_cards import Shelf
from cogs.cards import Tone
from cogs.frame import Frame
from cogs.membership import show_membership
from cogs.requests import Request
from cogs.suggestions import Choices, choices
from membership import mine, shop
from membership.errors import Gone
from membership.model import GuildId, MemberKey
from membership.shop import Offer
from membership.shown import ShownGrant, ShownState

CHECKOUT_PACE = "10/10 minutes"
"""Every checkout is made at the payment provider: a person needs few."""

_THERE = (ShownState.ACTIVE, ShownState.TRIALING, ShownState.ENDING)


class BuyCommand(commands.Cog):
    """Sells the plans of a server to whoever asks in Discord."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.on("buy", self._show)
        frame.on("buy-now", self._sell)
        self._arrivals = Arrivals(frame.services)
        self._pace = MovingWindowRateLimiter(MemoryStorage())

    async def cog_unload(self) -> None:
        """End with the bot: whoever still waits is told nothing, and gets their role all the same."""
        await self._arrivals.close()

    @app_commands.command(name="buy", description=locale_str("See what is for sale here, and buy it"))
    @app_commands.describe(plan=locale_str("Leave empty to see all plans"))
    @app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def buy(self, interaction: discord.Interaction, plan: str = "") -> None:
        """Show the plans, or the one that was asked for."""
        await self._show_offers(Request.of(interaction), plan)

    @buy.autocomplete("plan")
    async def _plans(self, interaction: discord.Interaction, typed: str) -> Choices:
        request = Request.of(interaction)
        offers = await shop.offers_in(request.services, [request.guild_id])
        labels = [
            (f"{offer.plan.name} · {cards.price_text(request.words, offer.price)}", str(offer.plan.id))
            for offer in offers
        ]
        return choices(labels, typed)

    async def _show(self, request: Request) -> None:
        await self._show_offers(request, "".join(request.args))

    async def _show_offers(self, request: Request, wanted: str) -> None:
        """Show the offers; `wanted` is a plan's id or name, and everything where there is no such plan."""
        offers = await _offers(request)
        found = [offer for offer in offers if _is_meant(offer, wanted)]
        held = await mine.held(request.services, request.actor.user_id, request.guild_id or None)
        await request.show(cards.offers_card(request.words, _shelf(request, found or offers, held)))

    async def _sell(self, request: Request) -> None:
        """Make a checkout for this very person and wait for what comes of it."""
        offer = next((each for each in await _offers(request) if request.args == (str(each.plan.id),)), None)
        if offer is None:
            await request.show(cards.gone_card(request.words))
            return
        if not await self._pace.hit(parse(CHECKOUT_PACE), str(request.actor.user_id)):
            text = request.words.say("That was a lot at once. Wait ten minutes and go on; nothing was charged.")
            await request.say(text, tone=Tone.WARN)
            return
        since = request.services.clock.now()
        try:
            url = await shop.start_checkout(request.services, offer.plan.slug, user_id=request.actor.user_id)
        except Gone:
            await request.show(cards.gone_card(request.words))
            return
        await request.show(cards.pay_card(request.words, offer, url))
        key = MemberKey(offer.plan.guild_id, request.actor.user_id)
        self._arrivals.watch(
            Awaited(key=key, plan_id=offer.plan.id, since=since), lambda found: _tell(request, offer, found)
        )


async def _tell(request: Request, offer: Offer, found: ShownGrant | None) -> None:
    """Change the answer: it has arrived, something is missing, or the link is old."""
    if found is None:
        await request.show(cards.old_link_card(request.words, offer.plan.id))
    elif found.state in _THERE:
        is_in_guild = request.guild_id == offer.plan.guild_id
        await request.show(cards.arrived_card(request.words, offer.plan.name, found.roles, is_in_guild=is_in_guild))
    else:
        await show_membership(request, is_fresh=False)


async def _offers(request: Request) -> list[Offer]:
    """Return what this person may buy here: the server's plans, in direct messages those where they have been."""
    if request.guild_id:
        guild_ids = frozenset({request.guild_id})
    else:
        guild_ids = await mine.guild_ids(request.services, request.actor.user_id)
    return list(await shop.offers_in(request.services, guild_ids))


def _shelf(request: Request, offers: list[Offer], held: Sequence[ShownGrant]) -> Shelf:
    places: set[GuildId] = set() if request.guild_id else {offer.plan.guild_id for offer in offers}
    discord_side = request.services.discord
    return Shelf(
        offers=offers,
        had={shown.plan.id: shown.plan.name for shown in held},
        renewing=frozenset(shown.plan.id for shown in held if shown.is_renewing),
        server_names={guild_id: discord_side.guild_name(guild_id) for guild_id in places},
        role_names={
            role_id: role.name for guild_id in places for role_id, role in discord_side.roles(guild_id).items()
        },
    )


def _is_meant(offer: Offer, wanted: str) -> bool:
    return wanted.strip().casefold() in (str(offer.plan.id), offer.plan.name.casefold(), offer.plan.slug)

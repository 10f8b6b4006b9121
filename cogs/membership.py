"""`/membership` and the panel's Verify button: what a person has, what is missing, and the buttons that help."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from cogs import membership_cards as cards
from cogs.cards import Card, Tone
from cogs.frame import Frame
from cogs.membership_cards import Place
from cogs.requests import Request
from cogs.words import clock_time
from membership import mail_links, mine, verifying
from membership.mine import Membership, Mine
from membership.model import MemberKey, RoleId


class MembershipCommand(commands.Cog):
    """Shows people their own memberships, in a server or in direct messages."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.on("verify", show_membership)
        frame.on("membership", show_membership)
        frame.on("membership-retry", self._try_again)
        frame.on("membership-dms", self._set_dms)
        frame.on("membership-switch", self._switch)
        frame.on("membership-switch-mail", self._mail_switch)
        frame.on("membership-billing", self._mail_billing)
        frame.on("mail-link-form", self._ask_address)
        frame.on("mail-link", self._mail_link)
        frame.on("claim-mail", self._mail_for_code)

    @app_commands.command(
        name="membership", description=locale_str("See what you have, what is missing, and how to change it")
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def membership(self, interaction: discord.Interaction) -> None:
        """Show the person's own card."""
        await show_membership(Request.of(interaction))

    async def _try_again(self, request: Request) -> None:
        await mine.try_again(request.services, request.actor.user_id, request.guild_id or None)
        # What the click carries is from before the try: only what was seen since counts.
        found = await _mine(request, is_fresh=False)
        await request.show(await card_of(request, found, is_after_try=True))

    async def _set_dms(self, request: Request) -> None:
        await mine.set_dms(request.services, request.actor.user_id, is_on=request.args == ("on",))
        await show_membership(request)

    async def _switch(self, request: Request) -> None:
        found = await _own(request)
        if found is None or not mine.can_be_mailed(request.services, found):
            await show_membership(request)
        else:
            await request.show(cards.switch_card(request.words, found))

    async def _mail_switch(self, request: Request) -> None:
        found = await _own(request)
        if found is not None and await mail_links.to_move(request.services, _key(request), found.shown.grant.id):
            await request.show(cards.mailed_card(request.words, found.payer.customer.email))
        else:
            await show_membership(request)

    async def _mail_billing(self, request: Request) -> None:
        found = await _own(request)
        if found is not None and await mail_links.to_billing(request.services, _key(request), found.shown.grant.id):
            await request.show(cards.mailed_card(request.words, found.payer.customer.email))
        else:
            await show_membership(request)

    async def _ask_address(self, request: Request) -> None:
        await request.ask(cards.address_form(request.words))

    async def _mail_link(self, request: Request) -> None:
        if await _is_refused(request):
            return
        # Said before anything is looked up: neither the words nor the time they take tell who bought something.
        await request.say(request.words.say(cards.MAIL_ON_ITS_WAY))
        await mail_links.to_address(request.services, _key(request), request.field(cards.ADDRESS_FIELD))

    async def _mail_for_code(self, request: Request) -> None:
        if await _is_refused(request):
            return
        text = request.words.say("If the purchase still runs, a mail is on its way to the address it was bought with.")
        await request.say(text)
        await mail_links.for_code(request.services, _key(request), "".join(request.args))


async def show_membership(request: Request, *, is_fresh: bool = True) -> None:
    """Show a person's card; `is_fresh` False: the roles that came with the interaction are out of date."""
    await request.show(await card_of(request, await _mine(request, is_fresh=is_fresh)))


async def card_of(request: Request, found: Mine, *, is_after_try: bool = False) -> Card:
    """Return the card of what was found, with a way to sign in where that helps, and what a try came to."""
    url = ""
    if cards.needs_sign_in(found):
        handle = f"@{request.interaction.user.name}"
        url = await verifying.issue(request.services, request.actor.user_id, handle, request.guild_id)
    place = Place(
        is_in_guild=bool(request.guild_id),
        can_mail=request.services.mailer.is_configured,
        can_buy=await _is_set_up(request),
        connect_url=url,
    )
    note = cards.after_try(request.words, found) if is_after_try else ""
    return cards.membership_card(request.words, found, place, note)


async def _is_set_up(request: Request) -> bool:
    """Say whether this is a server that sells: one that is not set up refuses everybody who buys."""
    async with request.services.store.read() as tx:
        guild = await tx.guilds.get(request.guild_id)
    return guild is not None and guild.is_active


async def _mine(request: Request, *, is_fresh: bool = True) -> Mine:
    seen = _roles(request) if is_fresh else None
    return await mine.read(request.services, request.actor.user_id, request.guild_id or None, seen)


async def _own(request: Request) -> Membership | None:
    """Return the membership that a button names, None for one that is not this person's, or no longer."""
    found = await _mine(request)
    return next((each for each in found.memberships if request.args == (str(each.shown.grant.id),)), None)


async def _is_refused(request: Request) -> bool:
    """Count a wish for a mail; answer and return True where there were too many."""
    until = await mail_links.refusal(request.services, request.actor.user_id)
    if until is not None:
        text = request.words.say("Too many tries. Wait until {time}.", time=clock_time(until))
        await request.say(text, tone=Tone.WARN)
    return until is not None


def _roles(request: Request) -> frozenset[RoleId] | None:
    """Return the roles that Discord says somebody has at this click, None in direct messages."""
    user = request.interaction.user
    return frozenset(RoleId(role.id) for role in user.roles) if isinstance(user, discord.Member) else None


def _key(request: Request) -> MemberKey:
    return MemberKey(request.guild_id, request.actor.user_id)

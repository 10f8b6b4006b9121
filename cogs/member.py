"""`/member` and the two commands on a right click: what staff ask and do about one person (EXPERIENCE 2.2).

Thin: options in, an answer out of member_answers. What is pressed on the answers is in member_presses.
"""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs import member_answers as answers
from cogs import member_presses
from cogs.durations import USUAL
from cogs.frame import Frame
from cogs.member_cards import found_choice
from cogs.member_words import plain_label
from cogs.requests import Request
from cogs.rights import Right, permissions_of
from cogs.suggestions import Choices, choices, durations, plans
from membership import search
from membership.comps import RevokeWhen
from membership.model import RoleId, UserId
from membership.resending import Via

LONGEST_REASON = 300
LONGEST_NOTE = 500
_PAST = [(label, value) for label, value in USUAL if value[-1] in "dy" and value[0].isdigit()]

Reason = app_commands.Range[str, 0, LONGEST_REASON]


@app_commands.default_permissions(permissions_of(Right.STAFF))
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class MemberCommands(commands.GroupCog, group_name="member", group_description="Find, understand and help one member"):
    """Support staff's commands: who is this, why have they (not) got the role, and put it right."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame, and offer the commands on a right click."""
        member_presses.register(frame)
        frame.add_menu("Membership card", self.card_menu)
        frame.add_menu("Why these roles?", self.why_menu)

    async def card_menu(self, interaction: discord.Interaction, member: discord.User) -> None:
        """Show the card of whoever was clicked."""
        await answers.show_card(Request.of(interaction), UserId(member.id))

    async def why_menu(self, interaction: discord.Interaction, member: discord.User) -> None:
        """Explain the roles of whoever was clicked."""
        await answers.show_why(Request.of(interaction), UserId(member.id))

    @app_commands.command(description="Find someone by email, order, code, Discord name or customer id")
    @app_commands.describe(query="The beginning of an email or name, or a whole id or code")
    async def find(self, interaction: discord.Interaction, query: app_commands.Range[str, 1, 200]) -> None:
        """Find people."""
        await answers.show_found(Request.of(interaction), query)

    @app_commands.command(description="Everything we know about one member")
    @app_commands.describe(member="Whose card")
    async def card(self, interaction: discord.Interaction, member: discord.User) -> None:
        """Show a member's card."""
        await answers.show_card(Request.of(interaction), UserId(member.id))

    @app_commands.command(description="Explain why this member has, or lacks, each managed role")
    @app_commands.describe(member="Whose roles", role="Only this role; one that Doorlist does not manage works, too")
    async def why(
        self, interaction: discord.Interaction, member: discord.User, role: discord.Role | None = None
    ) -> None:
        """Explain a member's roles."""
        role_id = None if role is None else RoleId(role.id)
        await answers.show_why(Request.of(interaction), UserId(member.id), role_id)

    @app_commands.command(description="Timeline of payments, links, role changes and staff actions")
    @app_commands.describe(member="Whose history", since="How far back: 30d, 1 year, or a day such as 2026-12-24")
    async def history(self, interaction: discord.Interaction, member: discord.User, since: str = "") -> None:
        """Show a member's history."""
        request = Request.of(interaction)
        await answers.show_history(request, UserId(member.id), since=answers.since_of(request, since))

    @app_commands.command(description="Re-check the payment provider and fix roles now")
    @app_commands.describe(member="Whom to look at")
    async def refresh(self, interaction: discord.Interaction, member: discord.User) -> None:
        """Read a member's purchases again and put their roles right."""
        await answers.refresh(Request.of(interaction), UserId(member.id))

    @app_commands.command(description="Connect a Discord account to a paying customer")
    @app_commands.describe(member="The Discord account", customer="Who paid", reason="For the record")
    async def link(
        self, interaction: discord.Interaction, member: discord.User, customer: str, reason: Reason = ""
    ) -> None:
        """Connect a member to a customer."""
        await answers.link(Request.of(interaction), UserId(member.id), customer, reason)

    @app_commands.command(description="Disconnect a Discord account from its customer")
    @app_commands.describe(member="The Discord account", reason="For the record")
    async def unlink(self, interaction: discord.Interaction, member: discord.User, reason: Reason = "") -> None:
        """Disconnect a member."""
        await answers.unlink(Request.of(interaction), UserId(member.id), reason)

    @app_commands.command(description="Move a membership to another Discord account")
    @app_commands.describe(from_member="Who has it now", to_member="Who gets it", reason="For the record")
    async def move(
        self,
        interaction: discord.Interaction,
        from_member: discord.User,
        to_member: discord.User,
        reason: Reason = "",
    ) -> None:
        """Move a membership."""
        await answers.move(Request.of(interaction), UserId(from_member.id), UserId(to_member.id), reason)

    @app_commands.command(description="Give a plan by hand, with an end date")
    @app_commands.describe(member="Who gets it", plan="Which plan", duration="How long", reason="For the record")
    @app_commands.rename(duration="for")
    async def grant(
        self, interaction: discord.Interaction, member: discord.User, plan: str, duration: str, reason: Reason = ""
    ) -> None:
        """Give a plan."""
        request = Request.of(interaction)
        await answers.grant(request, UserId(member.id), await answers.plan_of(request, plan), duration, reason)

    @app_commands.command(description="Add free days to a grant")
    @app_commands.describe(member="Whose grant", grant="Which grant", days="How many free days")
    async def extend(
        self, interaction: discord.Interaction, member: discord.User, grant: str, days: app_commands.Range[int, 1, 3660]
    ) -> None:
        """Extend a grant."""
        request, user_id = Request.of(interaction), UserId(member.id)
        await answers.extend(request, user_id, await answers.grant_of(request, user_id, grant), days, "")

    @app_commands.command(description="End a grant now or at period end")
    @app_commands.describe(member="Whose grant", grant="Which grant", when="When it ends", reason="For the record")
    @app_commands.choices(
        when=[
            app_commands.Choice(name="now", value=RevokeWhen.NOW.value),
            app_commands.Choice(name="period end", value=RevokeWhen.PERIOD_END.value),
        ]
    )
    async def revoke(
        self, interaction: discord.Interaction, member: discord.User, grant: str, when: str, reason: Reason = ""
    ) -> None:
        """Revoke a grant."""
        request, user_id = Request.of(interaction), UserId(member.id)
        grant_id = await answers.grant_of(request, user_id, grant)
        await answers.revoke(request, user_id, grant_id, when=RevokeWhen(when), reason=reason)

    @app_commands.command(description="Send the delivery message again")
    @app_commands.describe(customer="Whom to send it", via="How to send it: by email unless you say otherwise")
    @app_commands.choices(
        via=[
            app_commands.Choice(name="email", value=Via.MAIL.value),
            app_commands.Choice(name="direct message", value=Via.DM.value),
            app_commands.Choice(name="both", value=Via.BOTH.value),
        ]
    )
    async def resend(self, interaction: discord.Interaction, customer: str, via: str = Via.MAIL.value) -> None:
        """Send a delivery message again."""
        request = Request.of(interaction)
        customer_id = await search.customer(request.services, request.actor, customer)
        await answers.resend(request, customer_id, Via(via))

    @app_commands.command(description="Never touch this member's roles")
    @app_commands.describe(
        member="Whom to leave alone",
        until="Until when; empty: until you say otherwise, at most as long as you may",
        reason="For the record",
    )
    async def exempt(
        self, interaction: discord.Interaction, member: discord.User, until: str = "", reason: Reason = ""
    ) -> None:
        """Leave a member alone."""
        await answers.exempt(Request.of(interaction), UserId(member.id), until, reason)

    @app_commands.command(description="Add a staff note")
    @app_commands.describe(member="About whom", text="What other staff should know")
    async def note(
        self, interaction: discord.Interaction, member: discord.User, text: app_commands.Range[str, 1, LONGEST_NOTE]
    ) -> None:
        """Write a note."""
        await answers.note(Request.of(interaction), UserId(member.id), text)

    @find.autocomplete("query")
    @link.autocomplete("customer")
    @resend.autocomplete("customer")
    async def _customers(self, interaction: discord.Interaction, typed: str) -> Choices:
        """Suggest payers of this server."""
        request = Request.of(interaction)
        found = await search.suggest(request.services, request.actor, typed)
        # What fits may not be in the label: a whole order id, or a masked address.
        return choices(found_choice(each, request.actor) for each in found)

    @extend.autocomplete("grant")
    @revoke.autocomplete("grant")
    async def _grants(self, interaction: discord.Interaction, typed: str) -> Choices:
        """Suggest what the chosen member has."""
        member = getattr(interaction.namespace, "member", None)
        if member is None:
            return []
        grants = await answers.open_grants(Request.of(interaction), UserId(member.id))
        return choices([(plain_label(grant), str(grant.grant.id)) for grant in grants], typed)

    @grant.autocomplete("plan")
    async def _plans(self, interaction: discord.Interaction, typed: str) -> Choices:
        """Suggest the server's plans."""
        return await plans(interaction, typed)

    @grant.autocomplete("duration")
    @exempt.autocomplete("until")
    async def _durations(self, interaction: discord.Interaction, typed: str) -> Choices:
        """Suggest how long."""
        return await durations(interaction, typed)

    @history.autocomplete("since")
    async def _since(self, interaction: discord.Interaction, typed: str) -> Choices:
        """Suggest how far to look back."""
        fitting = choices(_PAST, typed)
        return fitting or choices([(typed, typed)] if typed.strip() else [])

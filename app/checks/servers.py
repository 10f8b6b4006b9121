"""Each server at Discord: the bot's place and permissions, the roles that plans give, the channels (D07 to D17)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from app.checks.making import EVERYWHERE, check, fail, hint, in_each_server, is_outside, listed, warn
from app.checks.patient import Patient, ServerFile
from cogs.examination import GuildExamination, RoleExamination, permission_names
from cogs.roles import Refusal
from membership.checks import Area, Check, Finding, Outcome
from membership.errors import DoorlistError, Reason
from membership.model import GrantState, Lane, OnEnd, Plan, RoleId
from storage.examination import holder_counts

INVITE_PERMISSIONS, WITH_KICK = 268487681, 268487683
_NEEDED = ("read_messages", "send_messages", "manage_roles", "create_instant_invite")
_MOST_COUNTED = 1000
_BY_KIND = {
    Refusal.EVERYONE: "is @everyone, which everybody has",
    Refusal.BOOSTER: "is the boosters' role, which only Discord gives",
    Refusal.LINKED: "is a linked role, which members give themselves",
    Refusal.FOR_SALE: "is sold by Discord itself",
    Refusal.MANAGED: "belongs to another bot",
    Refusal.SELF_SELECTABLE: "can be chosen by everybody in the onboarding",
}


def checks(patient: Patient) -> list[Check]:
    """Return the checks of the servers."""
    rules = Servers(patient)
    area, each = Area.DISCORD, partial(in_each_server, patient)
    return [
        check("D07", area, "The bot is in every server", rules.presence, where=EVERYWHERE),
        check("D08", area, "The bot's role is above every role it gives", each(rules.order)),
        check("D09", area, "The bot has the permissions it needs", each(rules.permissions)),
        check("D10", area, "The bot has no more power than it needs", each(rules.administrator)),
        check("D11", area, "Every role of a plan can be given", each(rules.roles)),
        check("D12", area, "No plan gives staff power", each(rules.dangers)),
        check("D13", area, "Paid channels are for paying members", each(rules.gates)),
        check("D14", area, "The chosen channels are there", each(rules.channels)),
        check("D16", area, "Everybody with a role has a purchase", each(rules.drift)),
        check("D17", area, "Two-factor rules are met", each(rules.two_factor)),
    ]


class Servers:
    """The rules; each looks at one server."""

    def __init__(self, patient: Patient) -> None:
        """Take what is looked at."""
        self._patient = patient

    async def presence(self) -> Sequence[Finding]:
        """Look whether the bot is in every server that has plans."""
        found = await asyncio.gather(*map(self._absence, await self._patient.files()))
        return [finding for findings in found for finding in findings]

    async def order(self, file: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look for roles above the bot's own."""
        findings = []
        for role, plans in _roles_of(file, server):
            if role.refusal == Refusal.ABOVE_BOT:
                waiting = await self._waiting(file, plans, Reason.ROLE_ABOVE_BOT)
                cause = (
                    f"{role.name} (position {role.position}) is above {server.bot_role} (position "
                    f"{server.bot_position}). Discord will refuse to give {role.name}."
                )
                fix = (
                    f'Server Settings → Roles → drag "{server.bot_role}" above "{role.name}", then Save Changes. '
                    "I look again by myself within a minute."
                )
                findings.append(fail(f'Role order in "{server.name}"', cause, fix, affects=waiting))
        return findings

    async def permissions(self, file: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look for permissions that are needed and missing."""
        needed = [*_NEEDED, *(["kick_members"] if _kicks(file.plans) else [])]
        missing = [name for name in needed if name not in server.permissions]
        if not missing:
            return []
        cause = f"Missing: {permission_names(missing)}."
        fix = f"{self._invite(file)} Nothing that is set up is lost by that."
        return [fail(f'Permissions in "{server.name}"', cause, fix)]

    async def administrator(self, _: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look for Administrator."""
        if "administrator" not in server.permissions:
            return []
        cause = "The bot has Administrator, and does not need it. Whoever gets hold of its token could do anything."
        fix = f"Server Settings → Roles → {server.bot_role} → untick Administrator. Everything keeps working."
        return [hint(f'Administrator in "{server.name}"', cause, fix)]

    async def roles(self, file: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look for roles that are gone or that nobody can give."""
        findings = []
        for plan in file.plans:
            for role_id in sorted(plan.all_roles - server.roles.keys()):
                cause = f"A role of the plan {plan.name} was deleted: nobody gets it."
                fix = f"Choose another with /plan edit, or let doctor --fix make one named {plan.name}."
                repair = self._remake(file, plan, role_id)
                findings.append(fail(f'Roles in "{server.name}"', cause, fix, repair=repair))
        for role, plans in _roles_of(file, server):
            if why := _BY_KIND.get(Refusal(role.refusal)) if role.refusal else None:
                names = listed([plan.name for plan in plans])
                cause = f"{role.name}, a role of {names}, {why}. It cannot be sold."
                findings.append(fail(f'Roles in "{server.name}"', cause, "Choose or make another with /plan edit."))
        return findings

    async def dangers(self, file: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look for roles with which a buyer becomes staff."""
        return [
            warn(
                f'Staff power for sale in "{server.name}"',
                f"{role.name}, a role of {listed([plan.name for plan in plans])}, has {listed(role.dangers)}.",
                f"Server Settings → Roles → {role.name}: remove that, unless every buyer shall have it.",
            )
            for role, plans in _roles_of(file, server)
            if role.dangers
        ]

    async def gates(self, file: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look for paid channels that everybody sees, and for roles that open nothing."""
        findings = []
        for role, plans in _roles_of(file, server):
            if not any(role.role_id in plan.roles for plan in plans):
                continue
            opened = [channel for channel in server.channels.values() if role.role_id in channel.opened_to]
            if public := [f"#{channel.name}" for channel in opened if channel.is_public]:
                cause = f"@everyone can see {listed(public)}, which {role.name} opens."
                fix = "Edit Channel → Permissions → @everyone → View Channel off."
                findings.append(warn(f'Paid channels in "{server.name}"', cause, fix))
            if not opened:
                cause = f"{role.name} opens no channel of its own. Perhaps that is meant: a colour, or a rank."
                fix = f"Edit Channel → Permissions: @everyone off, {role.name} on."
                findings.append(hint(f'Paid channels in "{server.name}"', cause, fix))
        return findings

    async def channels(self, file: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look whether the chosen channels are there, can be written, and are as private as they should be."""
        guild, what = file.guild, f'Channels in "{server.name}"'
        chosen = {
            "The verification channel": guild.claim_channel_id,
            "The event log": guild.event_channel_id,
            "The payment channel": guild.payment_channel_id,
            "The membership channel": guild.membership_channel_id,
        }
        findings = []
        for name, channel_id in chosen.items():
            channel = server.channels.get(channel_id) if channel_id else None
            if channel_id and channel is None:
                findings.append(warn(what, f"{name} was deleted.", "Choose another: /doorlist settings"))
            elif channel and not channel.can_write:
                fix = f"Edit Channel #{channel.name} → Permissions → add {server.bot_role}: View, Send Messages."
                findings.append(warn(what, f"{name} #{channel.name} cannot be written by me.", fix))
            elif channel and channel.is_public and channel_id != guild.claim_channel_id:
                cause = (
                    f"@everyone can read #{channel.name}: {name[0].lower()}{name[1:]} names who paid and who did not."
                )
                findings.append(warn(what, cause, "Edit Channel → Permissions → Private Channel."))
        return findings

    async def drift(self, file: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Compare how many hold a role with how many should."""
        ours = await holder_counts(self._patient.database, file.guild.id)
        what, findings = f'Roles in "{server.name}"', []
        for role, _ in _roles_of(file, server):
            if role.holders is None:
                return [Finding(outcome=Outcome.SKIP, what=what, cause="Discord does not count who holds a role here")]
            extra = role.holders - ours.get(role.role_id, 0)
            if extra > 0:
                cause = f"{extra} hold {role.name} without a purchase. They keep it: I only take what I gave."
                findings.append(hint(what, cause, "/sync adopt shows them and asks what to do."))
        return findings

    async def two_factor(self, _: ServerFile, server: GuildExamination) -> Sequence[Finding]:
        """Look whether the application's owner meets the server's rule for moderators."""
        if not server.needs_two_factor or (await self._patient.application()).has_owner_two_factor:
            return []
        cause = f'"{server.name}" asks its moderators for two-factor sign-in, and the bot\'s owner has none.'
        fix = "The owner of the application: User Settings → My Account → Enable Authenticator App."
        return [warn("Two-factor sign-in", cause, fix)]

    async def _absence(self, file: ServerFile) -> Sequence[Finding]:
        try:
            await self._patient.server(file.guild.id)
        except DoorlistError as failure:
            if not is_outside(failure):
                raise
            cause = f'The bot is not in "{file.guild.name}" any more: nobody there gets or loses a role.'
            return [fail(f'Server "{file.guild.name}"', cause, self._invite(file))]
        return []

    def _invite(self, file: ServerFile) -> str:
        settings = self._patient.settings.discord
        permissions = WITH_KICK if _kicks(file.plans) else INVITE_PERMISSIONS
        query = f"client_id={settings.client_id}&scope=bot+applications.commands&permissions={permissions}"
        return f"Invite it again: {settings.site_url}/oauth2/authorize?{query}&guild_id={file.guild.id}"

    def _remake(self, file: ServerFile, plan: Plan, role_id: RoleId) -> Callable[[], Awaitable[str]]:
        async def remake() -> str:
            made = await self._patient.examiner.create_role(file.guild.id, plan.name)
            services = self._patient.services
            async with services.store.write() as tx:
                await tx.plans.replace(_with_role(await tx.plans.get(plan.id), role_id, made))
                await tx.jobs.mark("plan", str(plan.id), lane=Lane.PLAN, run_at=services.clock.now())
            return f"Made the role {plan.name}. Everybody who paid gets it at the next run."

        return remake

    async def _waiting(self, file: ServerFile, plans: Sequence[Plan], reason: Reason) -> str:
        """Say how many members wait because of this."""
        ids = {plan.id for plan in plans}
        async with self._patient.services.store.read() as tx:
            found = await tx.purchases.grants_in_state(file.guild.id, GrantState.FAILED, reason, _MOST_COUNTED)
        count = sum(grant.plan_id in ids for grant in found)
        return f"{count} waiting member{'' if count == 1 else 's'}" if count else ""


def _roles_of(file: ServerFile, server: GuildExamination) -> Iterable[tuple[RoleExamination, list[Plan]]]:
    """Yield every role that a plan may give and that exists, with its plans."""
    wanted = sorted({role_id for plan in file.plans for role_id in plan.all_roles})
    for role_id in wanted:
        if role_id in server.roles:
            yield server.roles[role_id], [plan for plan in file.plans if role_id in plan.all_roles]


def _kicks(plans: Sequence[Plan]) -> bool:
    return any(OnEnd.KICK in (plan.on_end, plan.on_refund) for plan in plans)


def _with_role(plan: Plan, old: RoleId, new: RoleId) -> Plan:
    """Return the plan with one of its roles replaced."""
    return replace(
        plan,
        roles=tuple(new if role_id == old else role_id for role_id in plan.roles),
        past_due_role_id=new if plan.past_due_role_id == old else plan.past_due_role_id,
        trial_role_id=new if plan.trial_role_id == old else plan.trial_role_id,
    )

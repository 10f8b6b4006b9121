"""The checklist of `/doorlist setup`: how each step stands, from what was looked at. Pure; the card is setup_cards.py.

A step that could not be checked says so and is never done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cogs.cards import Button, Style
from cogs.examination import GuildExamination
from cogs.roles import permission_name
from cogs.words import code_text
from membership.desk import Adoption
from membership.model import ChannelId, OnEnd, Plan, RoleId
from membership.records import Guild
from membership.setting_up import PaymentLook

NEEDED = ("manage_roles", "create_instant_invite", "read_messages", "send_messages", "embed_links", "attach_files")
KICK = "kick_members"
MOST_NAMED = 3


class State(StrEnum):
    """How a step stands."""

    DONE = "✅"
    LOOK = "⚠️"
    OPEN = "⬜"
    UNKNOWN = "❔"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row: what it is about, how it stands, and the button that puts it right."""

    title: str
    state: State
    text: str
    button: Button | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupFacts:
    """Everything the checklist is computed from. `server` None: it could not be looked at, `trouble` says why.

    `held` counts the members on whom we hold each role; `is_panel_there` None: nobody could tell.
    """

    guild: Guild
    server: GuildExamination | None
    trouble: str = ""
    plans: Sequence[Plan] = ()
    payments: Sequence[PaymentLook] = ()
    adoptions: Mapping[RoleId, Adoption] = field(default_factory=dict)
    held: Mapping[RoleId, int] = field(default_factory=dict)
    is_panel_there: bool | None = None
    invite_url: str = ""


def steps(facts: SetupFacts) -> tuple[Step, ...]:
    """Return the seven steps in the order in which they are shown; any order of doing them works."""
    return (
        _permissions(facts),
        _role_order(facts),
        _payments(facts),
        _plan(facts),
        _holders(facts),
        _panel(facts),
        _event_log(facts),
    )


def is_complete(found: Sequence[Step]) -> bool:
    """Say whether nothing is left that somebody has to do."""
    return all(step.state is State.DONE for step in found)


def needed_permissions(plans: Sequence[Plan]) -> tuple[str, ...]:
    """Return what the bot needs, by discord.py's names; kicking only where a plan kicks."""
    kicks = any(OnEnd.KICK in (plan.on_end, plan.on_refund) for plan in plans)
    return (*NEEDED, KICK) if kicks else NEEDED


def _unknown(title: str, why: str) -> Step:
    return Step(title=title, state=State.UNKNOWN, text=f"could not check: {code_text(why)}", button=_again(title))


def _again(title: str) -> Button:
    # The step makes the button another one: Discord takes no two alike in one message.
    return Button(label="Check again", action="setup-check", args=(title.replace(" ", "-").lower(),))


def _permissions(facts: SetupFacts) -> Step:
    title = "Permissions"
    if facts.server is None:
        return _unknown(title, facts.trouble)
    missing = [name for name in needed_permissions(facts.plans) if name not in facts.server.permissions]
    if missing:
        names = ", ".join(map(permission_name, missing))
        return Step(
            title=title,
            state=State.OPEN,
            text=f"I am missing {names}",
            button=Button(label="Add permission", url=facts.invite_url),
        )
    if "administrator" in facts.server.permissions:
        text = "I have Administrator and do not need it: untick it on my role, everything keeps working"
        return Step(title=title, state=State.LOOK, text=text, button=_again(title))
    return Step(title=title, state=State.DONE, text="everything I need, and I ask for no more")


def _role_order(facts: SetupFacts) -> Step:
    title = "Role order"
    if facts.server is None:
        return _unknown(title, facts.trouble)
    sold = sorted({role for plan in facts.plans for role in plan.all_roles})
    if not sold:
        return Step(
            title=title, state=State.OPEN, text="no plan gives a role yet; a role that I make is in the right place"
        )
    gone = [role for role in sold if role not in facts.server.roles]
    if gone:
        losers = [plan for plan in facts.plans if gone[0] in plan.all_roles]
        plans = ", ".join(code_text(plan.name) for plan in losers)
        return Step(
            title=title,
            state=State.OPEN,
            text=f"a role of {plans} was deleted: I make it again, or choose another one with /plan edit",
            button=Button(label="Make it again", action="role-again", args=(losers[0].id, gone[0]), style=Style.MAIN),
        )
    bot = code_text(facts.server.bot_role)
    above = [role for role in sold if facts.server.roles[role].refusal == "above_bot"]
    if above:
        names = _mentions(above)
        text = f"{names} is above me. Server Settings → Roles → drag “{bot}” above it, then Save Changes"
        moved = Button(label="I moved it, check again", action="setup-check", args=("moved",), style=Style.MAIN)
        return Step(title=title, state=State.OPEN, text=text, button=moved)
    refused = [role for role in sold if facts.server.roles[role].refusal]
    if refused:
        return Step(
            title=title,
            state=State.OPEN,
            text=f"I cannot give {_mentions(refused)}: /plan show says why",
            button=_again(title),
        )
    return Step(title=title, state=State.DONE, text=f"“{bot}” is above {_mentions(sold)}")


def _payments(facts: SetupFacts) -> Step:
    title, how = "Payments", Button(label="How to", action="setup-payments")
    if not facts.payments:
        return Step(title=title, state=State.OPEN, text="no payment account is configured", button=how)
    refused = [each for each in facts.payments if each.is_refused]
    if refused:
        names = ", ".join(each.name.title() for each in refused)
        return Step(
            title=title, state=State.OPEN, text=f"{names} refuses the key: {code_text(refused[0].trouble)}", button=how
        )
    silent = [each for each in facts.payments if each.trouble]
    if silent:
        return _unknown(title, f"{silent[0].name.title()} did not answer ({silent[0].trouble})")
    if not any(each.is_allowed for each in facts.payments):
        return Step(
            title=title, state=State.OPEN, text="no account may sell here yet: the operator runs /doorlist setup"
        )
    shown = ", ".join(f"{each.name.title()}, {'live' if each.is_live else 'test'} mode" for each in facts.payments)
    is_test = not any(each.is_live for each in facts.payments)
    go_live = Button(label="Go live", action="setup-payments") if is_test else None
    return Step(title=title, state=State.DONE, text=shown, button=go_live)


def _plan(facts: SetupFacts) -> Step:
    new = Button(label="New plan", action="plan-new", style=Style.PLAIN if facts.plans else Style.MAIN)
    if not facts.plans:
        return Step(title="Plan", state=State.OPEN, text="what people buy, and which roles it gives", button=new)
    shown = [f"{code_text(plan.name)} → {_mentions(plan.roles) or 'membership alone'}" for plan in facts.plans]
    more = f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else ""
    unsold = [plan for plan in facts.plans if not plan.products]
    if len(unsold) == len(facts.plans):
        return Step(
            title="Plan",
            state=State.LOOK,
            text=f"{', '.join(shown[:MOST_NAMED])}{more}; nothing is sold for it yet",
            button=new,
        )
    return Step(title="Plan", state=State.DONE, text=", ".join(shown[:MOST_NAMED]) + more, button=new)


def _holders(facts: SetupFacts) -> Step:
    title = "Existing holders"
    sold = sorted({role for plan in facts.plans for role in plan.roles})
    if facts.server is None:
        return _unknown(title, facts.trouble)
    if not sold:
        return Step(title=title, state=State.OPEN, text="who has a role before it is sold; first make a plan")
    undecided = [role for role in sold if role not in facts.adoptions]
    counts = {role: _without_purchase(facts.server, role, facts.held) for role in undecided}
    if any(count is None for count in counts.values()):
        return _unknown(title, "Discord does not say how many people have a role")
    worst = max(counts, key=lambda role: counts[role] or 0, default=None)
    if worst is None or not counts[worst]:
        text = "nobody has a sold role without a purchase" if undecided else "decided for every role that is sold"
        return Step(title=title, state=State.DONE, text=text)
    many = f"{counts[worst]} people have" if counts[worst] != 1 else "one person has"
    return Step(
        title=title,
        state=State.LOOK,
        text=f"{many} <@&{worst}> without a purchase",
        button=Button(label="Decide", action="adopt-ask", args=(worst,)),
    )


def _without_purchase(server: GuildExamination, role: RoleId, held: Mapping[RoleId, int]) -> int | None:
    if role not in server.roles:
        return 0
    holders = server.roles[role].holders
    return None if holders is None else max(0, holders - held.get(role, 0))


def _panel(facts: SetupFacts) -> Step:
    title, channel_id = "Verify panel", facts.guild.panel_channel_id
    if facts.server is None:
        return _unknown(title, facts.trouble)
    if channel_id is not None and channel_id in facts.server.channels:
        if facts.is_panel_there is None:
            return _unknown(title, "I cannot look into its channel")
        if facts.is_panel_there:
            return Step(title=title, state=State.DONE, text=f"in <#{channel_id}>")
    lost = "it was deleted; " if channel_id is not None else ""
    return Step(
        title=title,
        state=State.OPEN,
        text=f"{lost}members need a place to start",
        button=_panel_button(facts.server, facts.guild),
    )


def _panel_button(server: GuildExamination, guild: Guild) -> Button:
    usual = panel_channel(server, guild)
    if usual is None:
        return Button(label="Choose a channel", action="setup-channel", args=("panel",))
    return Button(label=f"Post in #{server.channels[usual].name}", action="setup-post", args=("panel", usual))


def panel_channel(server: GuildExamination, guild: Guild) -> ChannelId | None:
    """Return where a panel would usually stand: where it stood, the verification channel, or one named get-access."""
    named = [each.channel_id for each in server.channels.values() if each.name == "get-access"]
    for channel_id in (guild.panel_channel_id, guild.claim_channel_id, *named):
        if channel_id is not None and channel_id in server.channels and server.channels[channel_id].can_write:
            return channel_id
    return None


def _event_log(facts: SetupFacts) -> Step:
    title, channel_id = "Event log", facts.guild.event_channel_id
    choose = Button(label="Choose a channel", action="setup-channel", args=("log",))
    if facts.server is None:
        return _unknown(title, facts.trouble)
    if channel_id is None:
        return Step(title=title, state=State.OPEN, text="where staff see what happened", button=choose)
    channel = facts.server.channels.get(channel_id)
    if channel is None:
        return Step(title=title, state=State.OPEN, text="its channel was deleted", button=choose)
    if not channel.can_write:
        text = f"I may not write in <#{channel_id}>: Edit Channel → Permissions → add me with Send Messages"
        return Step(title=title, state=State.OPEN, text=text, button=choose)
    if channel.is_public:
        text = f"everybody can read <#{channel_id}>: make it private, or choose another"
        return Step(title=title, state=State.LOOK, text=text, button=choose)
    return Step(title=title, state=State.DONE, text=f"in <#{channel_id}>")


def _mentions(roles: Sequence[RoleId]) -> str:
    more = f" and {len(roles) - MOST_NAMED} more" if len(roles) > MOST_NAMED else ""
    return " ".join(f"<@&{role}>" for role in roles[:MOST_NAMED]) + more

"""Who may do what: every command and everything that can be pressed, for every kind of person, over the wire.

The expectations are written out here a second time, on purpose: a new command or action has to be added by hand.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from discord import AppCommandType
from discord.app_commands import Group

from cogs import rights
from cogs.bot import DoorlistBot
from cogs.requests import NO_GUILD
from cogs.rights import Right, has_right
from membership.actors import Actor
from membership.model import GuildId, UserId
from sandbox.discord.permissions import Permission
from tests.commands.keyboard import Keyboard, Screen
from tests.scenarios.stage import Stage

GUILD = GuildId(1)


def _person(*, staff: bool = False, manage: bool = False, data: bool = False) -> Actor:
    return Actor(guild_id=GUILD, user_id=UserId(2), can_staff=staff, can_manage=manage, can_data=data)


PEOPLE = {
    "operator": replace(_person(), is_operator=True),
    "owner": _person(staff=True, manage=True, data=True),
    "manage server": _person(staff=True, manage=True),
    "manage roles": _person(staff=True),
    "member": _person(),
    # Rights are read where the click happens: somebody with every right elsewhere is a stranger here.
    "staff of another guild": _person(),
    "stranger": Actor(guild_id=NO_GUILD, user_id=UserId(3)),
}
MAY = {
    Right.MEMBER: set(PEOPLE),
    Right.STAFF: {"owner", "manage server", "manage roles"},
    Right.MANAGER: {"owner", "manage server"},
    Right.DATA: {"owner"},
    Right.OPERATOR: {"operator"},
}

_EVERYBODY = ("membership", "claim", "buy")
_STAFF = (
    *("find", "card", "why", "history", "refresh", "link", "unlink", "move"),
    *("grant", "extend", "revoke", "resend", "exempt", "note"),
)
_PLAN = ("create", "edit", "rules", "show", "list", "preview", "test", "archive", "restore")
_DOORLIST = (
    *("setup", "settings", "panel", "notify", "digest"),
    *("brake", "pause", "resume", "undo", "about", "doctor"),
)
_COMMANDS: dict[str, Right] = {
    **dict.fromkeys(_EVERYBODY, Right.MEMBER),
    **{f"member {name}": Right.STAFF for name in _STAFF},
    "Membership card": Right.STAFF,
    "Why these roles?": Right.STAFF,
    **{f"plan {name}": Right.MANAGER for name in _PLAN},
    **{f"doorlist {name}": Right.MANAGER for name in _DOORLIST},
    "doorlist dashboard": Right.STAFF,
    "doorlist privacy": Right.DATA,
    **{f"sync {name}": Right.MANAGER for name in ("now", "status", "drift", "adopt")},
    **{f"code {name}": Right.MANAGER for name in ("create", "list", "void")},
    **{f"report {name}": Right.MANAGER for name in ("members", "revenue", "delivery")},
    **{f"data {name}": Right.DATA for name in ("import", "export")},
}


@pytest.mark.parametrize("right", list(Right))
def test_a_right_belongs_to_whom_it_should(right: Right) -> None:
    assert {name for name, actor in PEOPLE.items() if has_right(actor, right)} == MAY[right]


def test_every_command_has_its_right() -> None:
    assert {name: rule.right for name, rule in rights.COMMANDS.items()} == _COMMANDS


async def test_the_bot_has_exactly_the_commands_and_actions_of_the_table(s: Stage) -> None:
    bot = s.process.discord.connection.require()
    assert isinstance(bot, DoorlistBot)
    slash = {command.qualified_name for command in bot.tree.walk_commands() if not isinstance(command, Group)}
    menus = {command.qualified_name for command in bot.tree.get_commands(type=AppCommandType.user)}
    assert slash | menus == set(_COMMANDS)
    assert bot.frame.actions == set(rights.ACTIONS)


async def test_nobody_below_a_right_gets_past_it(s: Stage) -> None:
    """Everything is sent as a forged client would: also the commands that Discord's own client hides."""
    people = _cast(s)
    for name, rule in rights.COMMANDS.items():
        person = _JUST_BELOW[rule.right]
        if person:
            screen = await _invoke(people[person], name)
            assert screen.text == _REFUSED, f"{person} got past /{name}"
    somewhere = (await people["member"].types("claim", code="x")).message
    for action, rule in rights.ACTIONS.items():
        person = _JUST_BELOW[rule.right]
        if person:
            screen = await people[person].forges(somewhere, f"door:{action}:1:1")
            assert screen.text == _REFUSED, f"{person} got past {action}"


async def test_whoever_may_not_use_a_command_is_suggested_nothing(s: Stage) -> None:
    people = _cast(s)
    assert await people["manage roles"].suggestions("plan show", "plan", "") == []
    assert await people["owner"].suggestions("plan show", "plan", "vip") == ["VIP", "VIP year"]


_REFUSED = "You are not allowed to use this command here."
_JUST_BELOW = {
    Right.MEMBER: "",
    Right.STAFF: "member",
    Right.MANAGER: "manage roles",
    Right.DATA: "manage server",
    Right.OPERATOR: "owner",
}


def _cast(s: Stage) -> dict[str, Keyboard]:
    """Seat everybody; the owner of the demo server is not the operator."""
    discord = s.outside.discord
    for name, permissions in (("roles", Permission.MANAGE_ROLES), ("server", Permission.MANAGE_GUILD)):
        role = discord.create_role(s.guild, name, permissions=permissions)
        discord.create_member(s.guild, s.person(name), role)
    seats = {"owner": "olga", "manage server": "server", "manage roles": "roles", "member": "ben"}
    return {right: Keyboard.of(s, name) for right, name in seats.items()}


async def _invoke(person: Keyboard, name: str) -> Screen:
    if name[0].isupper():
        return await person.chooses(name, "kim", is_forged=True)
    return await person.types(name, is_forged=True)

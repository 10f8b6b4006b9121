"""Whoever runs one server can neither see nor touch another.

Walks the commands that Discord was sent and the actions of the rights' table, so that a new one is covered by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from cogs import rights
from cogs.rights import Right
from membership import servers
from membership.model import GuildId
from membership.policy import Policy
from sandbox.discord.permissions import Permission
from storage.ledgers import jobs
from storage.schema import metadata
from tests.commands.burglar import Burglar, Loot, leaves
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage, stage

PLAN, ROLE_NAME, NOTE = "Quartz Club", "Quartzers", "likes topaz"
MEMBERS = ("zebulon", "yolanda", "xerxes")
SEATS = 6
Rows = Mapping[str, frozenset[str]]


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Stage]:
    """Set the stage with a brake that holds everything, and furnish the demo server."""
    policy = Policy(brake_removals=0, brake_removal_percent=0)
    async with stage(tmp_path, policy=policy, checks_discord=False) as both:
        await furnish(both)
        yield both


@pytest.fixture
async def burglar(s: Stage) -> Burglar:
    """Let the server next door in, with a plan of its own, and seat its owner and administrators."""
    neighbour, discord = s.outside.seed.neighbour, s.outside.discord
    await servers.approve(s.process.services, GuildId(neighbour.guild.id), "operator")
    await s.settled()
    administrator = discord.create_role(neighbour.guild, "Admin", permissions=Permission.ADMINISTRATOR)
    nora = Keyboard(stage=s, user=s.outside.seed.cast.nora, channel=neighbour.lobby)
    seats = [nora]
    for number in range(1, SEATS):
        discord.create_member(neighbour.guild, s.person(f"admin{number}"), administrator)
        seats.append(replace(nora, user=s.person(f"admin{number}")))
    own = await nora.types("plan create", name="Next", role=neighbour.regular.id)
    await own.presses("Create plan")
    return Burglar(seats=seats, loot=await loot_of(s))


async def test_nothing_that_can_be_forged_shows_or_changes_another_server(s: Stage, burglar: Burglar) -> None:
    other, discord = s.outside.seed.neighbour.guild.id, s.outside.discord
    before, seen = await rows(s, but=other), seen_at_discord(s)
    registered = leaves(discord.world.commands.values())
    assert {path for _, path, _ in registered} == set(rights.COMMANDS)
    for command, path, options in registered:
        await burglar.invokes(command, path, options)
    for action in (action for action, rule in rights.ACTIONS.items() if rule.right is not Right.OPERATOR):
        await burglar.presses(action)
    await s.settled()

    assert not burglar.found, f"{len(burglar.found)} answers:\n" + "\n".join(burglar.found)
    after = await rows(s, but=other)
    changed = {name: before[name] - after[name] for name in before if before[name] - after[name]}
    assert not changed, "\n".join(f"{name}: {lines}" for name, lines in changed.items())
    ours = f"'guild_id': {s.guild.id}"
    added = [row for name in before for row in after[name] - before[name] if ours in row]
    assert not added, "\n".join(added)
    assert seen_at_discord(s) == seen


async def furnish(s: Stage) -> None:
    """Fill the demo server with whatever has an id: members, a note, changes, a preview, what the brake holds."""
    olga = Keyboard.of(s, "olga")
    await s.plan("vip", name=PLAN, roles=(ROLE_NAME,))
    bought = await s.are_members("zebulon", "yolanda")
    s.joins("xerxes")
    duration = {"for": "30d"}
    await olga.types("member grant", is_forged=False, member=s.person("xerxes").id, plan=PLAN, **duration)
    await olga.types("member note", member=s.person("zebulon").id, text=NOTE)
    await olga.types("member exempt", member=s.person("xerxes").id, reason=NOTE)
    await olga.types("doorlist panel", channel=s.outside.seed.server.get_access.id)
    s.stripe.cancel_now(bought["yolanda"].subscription)
    await s.settled()


async def loot_of(s: Stage) -> Loot:
    """Collect what there is to know of the demo server."""
    olga = Keyboard.of(s, "olga")
    preview = (await olga.types("plan preview", plan=PLAN)).arguments("Apply exactly this to 1 member")
    held = (await olga.types("doorlist brake")).arguments("Release 1")
    stored = [row for table in (await raw_rows(s)).values() for row in table]
    tails = {f"…{str(row['external_id'])[-3:]}" for row in stored if "_" in str(row.get("external_id", ""))}
    masked = {f"{name[0]}••@" for name in MEMBERS}
    user, role, channel = s.person("zebulon").id, s.role(ROLE_NAME).id, s.outside.seed.server.get_access.id
    return Loot(
        letter="z",
        # Ours count from one in every table; those of the server next door are younger.
        ids=("1", preview[0]),
        arguments=(preview, held, ("1", "1", "1"), (str(user), "1", "1"), ("panel", str(channel)), (str(role),)),
        plan=PLAN.lower(),
        mail="ZEBULON@example.com",
        users=tuple(s.person(name) for name in MEMBERS),
        role=role,
        channel=channel,
        secrets=frozenset({PLAN, ROLE_NAME, NOTE, s.guild.name, *tails, *masked, *map(s.address, MEMBERS)}),
    )


async def rows(s: Stage, *, but: int) -> Rows:
    """Return every table's rows as text, without those of one server."""
    raw = await raw_rows(s)
    return {name: frozenset(str(row) for row in table if row.get("guild_id") != but) for name, table in raw.items()}


async def raw_rows(s: Stage) -> dict[str, list[dict[str, object]]]:
    """Return every table's rows; jobs come and go by themselves."""
    async with s.process.database.read() as tx:
        return {
            table.name: [dict(row) for row in (await tx.connection.execute(select(table))).mappings()]
            for table in metadata.sorted_tables
            if table is not jobs
        }


def seen_at_discord(s: Stage) -> object:
    """Return the demo server's roles of members, and how much was written in its channels and to its members."""
    discord = s.outside.discord
    return (
        {name: s.roles(name) for name in MEMBERS},
        {channel.name: len(discord.messages(channel)) for channel in s.guild.channels.values()},
        {name: len(s.direct_messages(name)) for name in MEMBERS},
    )

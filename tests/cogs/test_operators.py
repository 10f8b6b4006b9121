"""Whom Discord's developer portal names, and who of them runs this Doorlist."""

from __future__ import annotations

from typing import Any, cast

import discord

from cogs.bot import runners_of
from sandbox.discord.world import Team
from tests.cogs.connected import connected


def _member(user_id: int, role: str, *, has_accepted: bool = True) -> dict[str, Any]:
    user = {"id": str(user_id), "username": f"user{user_id}", "discriminator": "0", "avatar": None}
    return {"user": user, "team_id": "9", "membership_state": 2 if has_accepted else 1, "role": role}


def test_only_whoever_accepted_and_may_change_something_runs_the_application() -> None:
    members = [
        _member(1, "admin"),
        _member(2, "developer"),
        _member(3, "read_only"),
        _member(4, "admin", has_accepted=False),
    ]
    raw = {"id": "9", "name": "makers", "icon": None, "owner_user_id": "1", "members": members}
    assert runners_of(discord.Team(state=cast(Any, None), data=cast(Any, raw))) == {1, 2}


async def test_the_applications_owner_runs_this_doorlist_once_the_bot_has_logged_in() -> None:
    async with connected() as here:
        assert here.stage.local.portal.owner.id in here.services.operators.ids


async def test_a_team_runs_it_together() -> None:
    async with connected(starts=False) as here:
        portal = here.stage.local.portal
        portal.team = Team(id=9, name="makers", owner=here.stage.alice, members=[here.stage.bob])
        running = here.start()
        await here.ready()
        assert {here.stage.alice.id, here.stage.bob.id} <= here.services.operators.ids
        assert portal.owner.id not in here.services.operators.ids
        await here.supervisor.close()
        await running

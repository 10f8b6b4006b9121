"""Whom Discord's developer portal names, and who of them runs this Doorlist."""

from __future__ import annotations

from typing import Any, cast

import discord

from cogs.bot import runners_of


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

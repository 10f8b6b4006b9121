"""Asks who has a role without a purchase, for cards that say how many, and before a decision about these people."""

from __future__ import annotations

from cogs.requests import Request
from membership import adoption
from membership.adoption import MOST_HOLDERS, Holders
from membership.errors import Blocked, Retry, UserError
from membership.model import RoleId


async def counted(request: Request, role_id: RoleId) -> Holders | None:
    """Return who has a role without a purchase, None when nobody can tell now. Raises UserError for no role of ours."""
    _require_known(request, role_id)
    try:
        return await adoption.holders_without_purchase(request.services, request.guild_id, role_id)
    except (Blocked, Retry):
        return None


async def all_of(request: Request, role_id: RoleId) -> Holders:
    """Return all of them, to decide about. Raises UserError where they are too many, Blocked and Retry."""
    _require_known(request, role_id)
    holders = await adoption.holders_without_purchase(request.services, request.guild_id, role_id)
    if not holders.is_complete:
        raise UserError(f"More than {MOST_HOLDERS:,} people have this role. That is too many for one decision.")
    return holders


def number_text(number: int, holders: Holders) -> str:
    """Say how many that are, at least."""
    return f"{number:,}" if holders.is_complete else f"{number:,} or more"


def _require_known(request: Request, role_id: RoleId) -> None:
    if role_id not in request.services.discord.roles(request.guild_id):
        raise UserError("There is no such role in this server.")

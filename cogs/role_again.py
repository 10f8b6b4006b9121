"""The button that makes a plan's deleted role again. It stands in the checklist and on the card of the plan."""

from __future__ import annotations

from discord.ext import commands

from cogs.frame import Frame
from cogs.plan_cards import made_again_card
from cogs.requests import Request
from membership import role_again
from membership.errors import UserError
from membership.model import PlanId, RoleId


class RoleAgain(commands.Cog):
    """Answers the button."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        frame.on("role-again", self._make)

    async def _make(self, request: Request) -> None:
        """Make the role, and say which plans give it now."""
        numbers = [int(each) for each in request.args if each.isdecimal()]
        if len(numbers) != 2:
            raise UserError("This button is from an older version. Use /plan show again.")
        made = await role_again.make_again(request.services, request.actor, PlanId(numbers[0]), RoleId(numbers[1]))
        await request.show(made_again_card(made))

"""`/doorlist dashboard`: a private link that serves the one who asked."""

from __future__ import annotations

from membership import first_sign_in
from membership.codes import digest
from membership.model import UserId
from sandbox.discord.screen import controls
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_staff_get_a_link_for_themselves_alone(s: Stage, olga: Keyboard) -> None:
    answer = await olga.types("doorlist dashboard")
    (url,) = (each.url for each in controls(answer.message.components) if each.url)
    address, _, token = url.rpartition("/")
    assert address == f"{s.process.public_url}/admin/first"
    link = await first_sign_in.look(s.process.services, digest(token))
    assert link == first_sign_in.FirstLink(user_id=UserId(olga.user.id), may_operate=False)
    assert answer.message.is_ephemeral


async def test_every_link_is_a_new_one(olga: Keyboard) -> None:
    first, second = [await olga.types("doorlist dashboard") for _ in range(2)]
    assert controls(first.message.components)[0].url != controls(second.message.components)[0].url

"""How often one person may press."""

from __future__ import annotations

from cogs.paces import Paces
from cogs.rights import Right
from cogs.turnstile import Turnstile


async def test_everybody_has_a_pace_of_their_own_and_staff_s_things_are_counted_apart() -> None:
    turnstile = Turnstile(Paces(member_presses=2, staff_presses=1))
    assert [await turnstile.passes(1, Right.MEMBER) for _ in range(3)] == [True, True, False]
    assert await turnstile.passes(2, Right.MEMBER)
    assert [await turnstile.passes(1, Right.STAFF) for _ in range(2)] == [True, False]

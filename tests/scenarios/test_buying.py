"""A payment becomes a role."""

from __future__ import annotations

from tests.scenarios.stage import Stage


async def test_a_purchase_becomes_a_role_once_the_buyer_has_typed_the_mailed_code(both_stores: Stage) -> None:
    s = both_stores
    s.buys("ada", "vip")
    await s.claims("ada")
    await s.eventually(lambda: s.has("ada", "VIP"), "Ada's role")
    await s.settled()
    assert s.posts() == ["✅ VIP given to @\u200bAda"]
    assert s.mails("ada") == ["You're in — connect Discord to unlock VIP"]


async def test_a_buyer_who_signs_in_from_the_mail_is_added_to_the_server_with_the_role(s: Stage) -> None:
    s.buys("ada", "vip")
    page = await s.connects("ada")
    assert page.status == 200
    await s.eventually(lambda: s.has("ada", "VIP"), "Ada's role")

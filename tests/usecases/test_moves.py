"""One purchase, one Discord account: moving it, and how often."""

from __future__ import annotations

import pytest

from membership import codes, connections, linking, shop, switching, verifying
from membership.browsing import Person, SignIn
from membership.claims import ClaimOutcome
from membership.errors import Gone
from membership.linking import Verdict
from membership.model import PurchaseStatus, UserId
from membership.ports import Price
from membership.switching import Refused
from membership.verifying import Found, SignedIn, Verified
from tests.usecases.conftest import Builder
from tests.usecases.world import BOB, CHARLIE, DORA, GUILD, VIP, World

MAIL = f"user{CHARLIE}@example.com"


async def a_delivered_purchase(world: World) -> str:
    await world.plan("vip", VIP)
    world.joins(BOB)
    world.joins(DORA)
    return await world.member("vip")


async def test_the_old_account_loses_the_role_in_the_same_pass(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, DORA, may_move=True) is Verdict.CONNECTED
    await world.settle()
    assert (world.roles(CHARLIE), world.roles(DORA)) == (set(), {VIP})
    assert await world.standing(bought) == ["delivered paid"]
    assert world.mailer.templates() == ["connect", "delivered", "moved"]


async def test_a_purchase_is_not_moved_unasked(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, DORA) is Verdict.NEEDS_MOVE
    assert (world.roles(CHARLIE), world.roles(DORA)) == ({VIP}, set())


async def test_a_purchase_moves_twice_in_thirty_days_and_no_more(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, DORA, may_move=True) is Verdict.CONNECTED
    assert await world.connects(bought, BOB, may_move=True) is Verdict.CONNECTED
    assert await world.connects(bought, CHARLIE, may_move=True) is Verdict.MOVES_USED_UP
    await world.advance(days=31)
    assert await world.connects(bought, CHARLIE, may_move=True) is Verdict.CONNECTED
    assert world.roles(CHARLIE) == {VIP}


async def moved_twice_and_taken_off(world: World) -> tuple[str, str]:
    """Use up the switches and disconnect; return the purchase, and the code from its first mail."""
    bought = await a_delivered_purchase(world)
    code = str(world.mailer.sent[0].facts["code"])
    await world.connects(bought, DORA, may_move=True)
    await world.connects(bought, BOB, may_move=True)
    now = world.clock.now()
    payer = SignIn(
        digest="", person=Person.CUSTOMER, email=MAIL, began_at=now, seen_at=now, proved_at=now, expires_at=now
    )
    await world._while_working(connections.disconnect(world.services, payer, BOB))
    return bought, code


async def test_a_code_is_no_way_around_the_limit(world: World) -> None:
    _, code = await moved_twice_and_taken_off(world)
    answer = await world.claims(CHARLIE, code)
    assert (answer.outcome, answer.retry_at) == (ClaimOutcome.MOVED_TOO_OFTEN, world.clock.now() + switching.WINDOW)
    assert world.roles(CHARLIE) == set()
    await world.advance(days=30)
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.EXPIRED


async def test_a_code_still_connects_the_account_that_had_it_last(world: World) -> None:
    _, code = await moved_twice_and_taken_off(world)
    assert (await world.claims(BOB, code)).outcome is ClaimOutcome.OK
    assert world.roles(BOB) == {VIP}


async def test_the_verified_address_is_no_way_around_the_limit(world: World) -> None:
    await moved_twice_and_taken_off(world)
    until = world.clock.now() + switching.WINDOW
    verified = await verifies(world, CHARLIE)
    assert (verified.found, verified.refused) == (Found.MOVED_TOO_OFTEN, Refused(until=until))
    assert world.roles(CHARLIE) == set()
    await world.advance(days=30)
    assert (await verifies(world, CHARLIE)).found is Found.CONNECTED


async def test_a_checkout_of_another_account_is_no_way_around_the_limit(world: World) -> None:
    await moved_twice_and_taken_off(world)
    price = Price(external_id="price_vip", product_id="prod_vip", product_name="VIP", amount=1000, currency="eur")
    async with world.services.store.write() as tx:
        await tx.accounts.record_prices(world.account_id, [price])
    await shop.start_checkout(world.services, "vip", user_id=CHARLIE)
    token = world.provider.orders[0].link_token
    await world.buys("vip", by=f"user{CHARLIE}", link_token=token, checkout_id="cs_1")
    assert world.roles(CHARLIE) == set()


async def verifies(world: World, user: UserId) -> Verified:
    """Press the button in Discord and sign in with the buyer's verified address."""
    ticket = codes.digest((await verifying.issue(world.services, user, "@user", GUILD)).rpartition("/")[2])
    signed_in = SignedIn(user_id=user, email=MAIL, access_token="oauth-token", scopes=("identify",))
    return await world._while_working(verifying.verify(world.services, ticket, signed_in))


async def test_connecting_the_same_account_again_changes_nothing(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, CHARLIE) is Verdict.CONNECTED
    assert len(world.discord.faults.of("add_role")) == 1
    assert "moved" not in world.mailer.templates()


async def test_an_ended_purchase_cannot_be_connected(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert await world.connects(bought, CHARLIE) is Verdict.NOT_AVAILABLE


def link_digest(world: World, number: int = -1) -> str:
    """Return the digest of the link in one of the mails that have one, the latest by default."""
    linking_mails = [mail for mail in world.mailer.sent if "link" in mail.facts]
    return codes.digest(str(linking_mails[number].facts["link"]).rpartition("/")[2])


async def ask_for_a_new_link(world: World, digest: str) -> None:
    await linking.mail_new_link(world.services, digest)
    await world.settle()


async def test_a_used_link_mails_a_new_one_that_moves_the_purchase(world: World) -> None:
    bought = await a_delivered_purchase(world)
    await ask_for_a_new_link(world, link_digest(world))
    mail = world.mailer.sent[-1]
    assert (mail.template, mail.to) == ("link_again", f"user{CHARLIE}@example.com")
    found = await linking.token_standing(world.services, link_digest(world))
    assert found is not None
    token, standing = found
    assert not token.is_spent
    assert standing is not None
    assert standing.linked_to == CHARLIE
    assert await world.connects(bought, DORA, may_move=True) is Verdict.CONNECTED


async def test_an_expired_link_mails_a_new_one_that_connects(new_world: Builder) -> None:
    world = await new_world(reminder_hours=())
    await world.plan("vip", VIP)
    await world.buys("vip")
    old = link_digest(world)
    await world.advance(days=31)
    await ask_for_a_new_link(world, old)
    found = await linking.token_standing(world.services, link_digest(world))
    assert found is not None
    assert world.mailer.templates() == ["connect", "link_again"]
    assert found[0].expires_at > world.clock.now()


async def test_asking_again_within_the_hour_sends_nothing_more(world: World) -> None:
    await a_delivered_purchase(world)
    old = link_digest(world)
    for _ in range(5):
        await ask_for_a_new_link(world, old)
    assert world.mailer.templates() == ["connect", "delivered", "link_again"]
    await world.advance(minutes=61)
    await ask_for_a_new_link(world, old)
    assert world.mailer.templates() == ["connect", "delivered", "link_again", "link_again"]


async def test_an_ended_purchase_has_no_new_link_to_mail(world: World) -> None:
    bought = await a_delivered_purchase(world)
    old = link_digest(world)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await ask_for_a_new_link(world, old)
    assert "link_again" not in world.mailer.templates()


async def test_a_link_that_nobody_knows_mails_nothing(world: World) -> None:
    await a_delivered_purchase(world)
    with pytest.raises(Gone):
        await linking.mail_new_link(world.services, codes.digest("made-up"))


async def test_a_move_passes_the_brake_as_a_person_s_own_wish(new_world: Builder) -> None:
    world = await new_world(brake_removals=1, brake_removal_percent=0)
    bought = await a_delivered_purchase(world)
    await world.connects(bought, DORA, may_move=True)
    assert world.roles(CHARLIE) == set()

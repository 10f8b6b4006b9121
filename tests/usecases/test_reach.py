"""What a signed-in person reaches, as a table, and that an id of somebody else's is nobody's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from membership import reach
from membership.browsing import ChosenBy, CustomerSettings, Person, SignIn
from membership.errors import Gone
from membership.model import AccountId, CustomerId, Proof, UserId
from membership.reach import Rank, has_chosen, rank_of
from membership.records import Customer, Link
from tests.usecases.world import BOB, CHARLIE, VIP, World

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ADA, BEN = UserId(7), UserId(8)
MAIL = "Ada@Example.com"


def signed_in(email: str = "", user_id: UserId | None = None) -> SignIn:
    return SignIn(
        digest="d",
        person=Person.CUSTOMER,
        email=email,
        user_id=user_id,
        began_at=NOW,
        seen_at=NOW,
        proved_at=NOW,
        expires_at=NOW,
    )


def linked(proof: Proof) -> Link:
    return Link(customer_id=CustomerId(1), user_id=ADA, proof=proof, created_at=NOW)


@pytest.mark.parametrize(
    ("sign_in", "link", "rank"),
    [
        (signed_in("ada@example.com"), None, Rank.PAYER),
        (signed_in("ADA@EXAMPLE.COM"), linked(Proof.STAFF), Rank.PAYER),
        (signed_in("ada@example.co"), None, None),
        (signed_in("ben@example.com"), linked(Proof.OAUTH), None),
        (signed_in(user_id=ADA), linked(Proof.OAUTH), Rank.PAYER),
        (signed_in(user_id=ADA), linked(Proof.CODE), Rank.PAYER),
        (signed_in(user_id=ADA), linked(Proof.EMAIL), Rank.PAYER),
        (signed_in(user_id=ADA), linked(Proof.CHECKOUT), Rank.HOLDER),
        (signed_in(user_id=ADA), linked(Proof.STAFF), Rank.HOLDER),
        (signed_in("ada@example.com", ADA), linked(Proof.CHECKOUT), Rank.PAYER),
        (signed_in("ben@example.com", ADA), linked(Proof.CHECKOUT), Rank.HOLDER),
        (signed_in("ada@example.com", BEN), None, Rank.PAYER),
        (signed_in("ada@example.com", BEN), linked(Proof.OAUTH), None),
        (signed_in("ada@example.com", BEN), linked(Proof.CHECKOUT), None),
        (signed_in(user_id=BEN), linked(Proof.OAUTH), None),
        (signed_in(user_id=ADA), None, None),
        (signed_in(), None, None),
    ],
)
def test_somebody_is_to_a_payer_what_they_have_proven(sign_in: SignIn, link: Link | None, rank: Rank | None) -> None:
    customer = Customer(id=CustomerId(1), account_id=AccountId(1), external_id="cus", email=MAIL, name="Ada", locale="")

    assert rank_of(sign_in, customer, link) is rank


@pytest.mark.parametrize("sign_in", [signed_in(), signed_in(user_id=ADA), signed_in("ada@example.com")])
def test_nobody_is_the_payer_who_was_erased(sign_in: SignIn) -> None:
    erased = Customer(id=CustomerId(1), account_id=AccountId(1), external_id="cus", email="", name="", locale="")

    assert rank_of(sign_in, erased, None) is None


@pytest.mark.parametrize(("proof", "is_theirs"), [(Proof.OAUTH, True), (Proof.CHECKOUT, False)])
def test_a_choice_is_the_payers_own(proof: Proof, is_theirs: bool) -> None:
    chosen = ChosenBy(
        settings=CustomerSettings(customer_id=CustomerId(1)), email="ada@example.com", linked_to=ADA, proof=proof
    )
    assert has_chosen(signed_in(user_id=ADA), chosen) is is_theirs
    assert has_chosen(signed_in("ada@example.com"), chosen)
    assert not has_chosen(signed_in(user_id=BEN), chosen)


async def test_a_grant_is_found_by_the_payer_and_by_its_holder_and_by_nobody_else(world: World) -> None:
    await world.plan("vip", VIP)
    external_id = await world.member("vip")
    (grant,) = await world.grants(external_id)

    async with world.services.store.read() as tx:
        by_mail = await reach.payer_of(tx, signed_in(f"user{CHARLIE}@example.com"), grant.id)
        by_discord = await reach.grant(tx, signed_in(user_id=CHARLIE), grant.id)
        for stranger in (signed_in("bob@example.com"), signed_in(user_id=BOB), signed_in()):
            with pytest.raises(Gone):
                await reach.grant(tx, stranger, grant.id)

    assert by_mail.grant == by_discord.grant == grant


async def test_who_only_holds_a_grant_does_not_find_it_as_its_payer(world: World) -> None:
    await world.plan("vip", VIP)
    external_id = await world.member("vip")
    purchase = await world.purchase(external_id)
    async with world.services.store.write() as tx:
        await tx.links.bind(purchase.customer_id, BOB, Proof.CHECKOUT, world.clock.now())
    (grant,) = await world.grants(external_id)

    async with world.services.store.read() as tx:
        assert (await reach.grant(tx, signed_in(user_id=BOB), grant.id)).reached.rank is Rank.HOLDER
        with pytest.raises(Gone):
            await reach.payer_of(tx, signed_in(user_id=BOB), grant.id)

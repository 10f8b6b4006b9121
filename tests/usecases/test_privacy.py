"""One person's data: handed out whole within one server, and erased so that nothing brings it back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import LargeBinary, Text, select, type_coerce

from membership import notes, privacy, sign_ins
from membership.actors import Actor
from membership.browsing import CustomerSettings, Person
from membership.errors import UserError
from membership.model import GuildId, MemberKey, PlanId, PlanProduct
from membership.ports import IncomingEvent
from membership.records import MemberRow
from membership.sign_ins import Proven
from storage.columns import Facts
from storage.ledgers import inbox_events
from storage.web_tables import complete_metadata
from tests.usecases.world import ALICE, BOB, CHARLIE, GUILD, VIP, World

OWNER = Actor(guild_id=GUILD, user_id=ALICE, name="alice", can_staff=True, can_manage=True, can_data=True)
OPERATOR = replace(OWNER, is_operator=True)
STRANGER = replace(OWNER, guild_id=GuildId(999))
MAIL, NAME = "charlotte@example.com", "Charlotte"
SUBJECT = f"user-{CHARLIE}"


async def a_member(world: World) -> str:
    """Let Charlotte buy, connect and be written about; return her purchase."""
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    external_id = await world.buys("vip", by="charlotte")
    await world.links(external_id, CHARLIE)
    await notes.note(world.services, OWNER, CHARLIE, f"{NAME} wrote from {MAIL}")
    event = IncomingEvent(external_id="evt_old", type="x", body=f'{{"email": "{MAIL}"}}'.encode(), is_live=True)
    async with world.services.store.write() as tx:
        await tx.inbox.add("stripe", [event], world.clock.now())
        await tx.inbox.settle(len(world.provider.events) + 1, "done")
    return external_id


async def everything(world: World) -> str:
    """Return every text and every raw body in the database."""
    found = []
    async with world.database.read() as tx:
        for table in complete_metadata.sorted_tables:
            columns = [c for c in table.c if isinstance(c.type, Text | Facts | LargeBinary) or "key" in c.name]
            for column in columns:
                kind = LargeBinary if isinstance(column.type, LargeBinary) else Text
                found += [str(v) for v in (await tx.connection.execute(select(type_coerce(column, kind)))).scalars()]
    return "\n".join(found).casefold()


async def body_of(world: World, event_id: str) -> bytes:
    async with world.database.read() as tx:
        found = await tx.connection.execute(select(inbox_events.c.body).where(inbox_events.c.external_id == event_id))
        return bytes(found.scalar_one())


async def test_an_erased_person_is_nowhere_and_no_replay_brings_them_back(world: World) -> None:
    external_id = await a_member(world)
    assert MAIL in await everything(world)
    held = await privacy.erase(world.services, OWNER, SUBJECT)
    assert held.count > 5
    await world.settle()
    assert world.roles(CHARLIE) == set(), "the roles go the usual way"
    await world.webhook(external_id, event_id="evt_replayed")
    await world.settle()
    assert await body_of(world, "evt_replayed") == b"", "it says again who they are"
    await world.changes(external_id, amount=2000)
    await world.advance(days=2)
    left = await everything(world)
    assert MAIL not in left
    assert NAME.casefold() not in left.replace("cus_charlotte", "")
    purchase = await world.purchase(external_id)
    assert purchase.amount == 2000, "what was bought is still followed"


async def test_an_erased_person_is_sent_no_mail(world: World) -> None:
    await a_member(world)
    before = len(world.mailer.sent)
    await privacy.erase(world.services, OWNER, SUBJECT)
    await world.advance(days=10)
    assert len(world.mailer.sent) == before


async def test_others_keep_what_is_theirs(world: World) -> None:
    await a_member(world)
    other = await world.buys("vip", by="bob")
    await world.links(other, BOB)
    await privacy.erase(world.services, OWNER, SUBJECT)
    purchase = await world.purchase(other)
    async with world.services.store.read() as tx:
        customer = await tx.customers.get(purchase.customer_id)
    assert (customer.email, customer.name) == ("bob@example.com", "Bob")


async def test_an_export_has_what_is_held_here_and_no_secret(world: World) -> None:
    await a_member(world)
    held = await privacy.export(world.services, OWNER, SUBJECT)
    assert held.rows["customers"][0]["email"] == MAIL
    assert {"purchases", "grants", "links", "holdings", "audit_entries", "outbox_messages"} <= set(held.rows)
    assert not [row for rows in held.rows.values() for row in rows if {"digest", "facts"} & set(row)]
    assert [entry.user_id for entry in await world.audit("privacy.exported")] == [CHARLIE]


async def test_staff_of_another_server_find_nobody(world: World) -> None:
    purchase = await world.purchase(await a_member(world))
    for subject in (SUBJECT, f"customer-{purchase.customer_id}", "customer-x"):
        with pytest.raises(UserError):
            await privacy.erase(world.services, STRANGER, subject)


async def test_a_buyer_of_two_servers_is_erased_by_the_operator_alone(world: World) -> None:
    purchase = await world.purchase(await a_member(world))
    async with world.services.store.write() as tx:
        plan = await tx.plans.get(PlanId(1))
        sold = PlanProduct(account_id=world.account_id, product_id="prod_vip")
        elsewhere = await tx.plans.create(replace(plan, guild_id=GuildId(999), slug="other", products=(sold,)))
        await tx.purchases.open_grant(purchase, elsewhere, world.clock.now())
    with pytest.raises(UserError, match="whoever runs"):
        await privacy.erase(world.services, OWNER, SUBJECT)
    assert (await privacy.erase(world.services, OPERATOR, SUBJECT)).is_shared


async def test_an_erased_person_is_signed_out_and_their_choices_and_their_name_at_discord_are_gone(
    world: World,
) -> None:
    external_id = await a_member(world)
    customer_id = (await world.purchase(external_id)).customer_id
    key = await sign_ins.begin(world.services, Person.CUSTOMER, Proven(email=MAIL.title()), "Firefox")
    other = await sign_ins.begin(world.services, Person.CUSTOMER, Proven(email="bob@example.com"), "Firefox")
    row = MemberRow(
        key=MemberKey(GUILD, CHARLIE), desired=frozenset(), observed=frozenset(), is_present=True, observed_at=None
    )
    async with world.services.store.write() as tx:
        await tx.customer_settings.put(CustomerSettings(customer_id=customer_id, language="it"))
        await tx.members.settle(replace(row, name="Charlotte"), None)
    held = await privacy.look(world.services, OWNER, SUBJECT)
    assert {"sign_ins", "customer_settings"} <= set(held.rows)
    assert held.rows["members"][0]["name"] == "Charlotte"
    assert not {"content", "mail_digest"} & set(held.rows["sign_ins"][0])
    await privacy.erase(world.services, OWNER, SUBJECT)
    async with world.services.store.write() as tx:
        await tx.members.settle(replace(row, name="Charlotte"), None)
        seen = await tx.members.get(row.key)
        assert await tx.customer_settings.get(customer_id) == CustomerSettings(customer_id=customer_id)
    assert seen is not None
    assert seen.name == "", "whoever is connected to nothing has no name here"
    assert await sign_ins.recognise(world.services, Person.CUSTOMER, key) is None
    assert await sign_ins.recognise(world.services, Person.CUSTOMER, other) is not None

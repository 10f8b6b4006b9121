"""Forgetting who somebody is, in both databases."""

from __future__ import annotations

from membership.model import CustomerSnapshot
from membership.privacy_ledger import Person
from membership.records import AuditEntry, Draft
from storage.store import Database
from tests.storage.builders import CHARLIE, GUILD, a_linked_grant, an_account, an_event
from tests.storage.databases import NOON

PAYER = CustomerSnapshot(external_id="cus_1", email="Zoë@example.com", name="Zoë")


async def test_an_erased_payer_stays_erased_and_the_record_stays_readable(database: Database) -> None:
    async with database.write() as tx:
        await a_linked_grant(tx)
        customer = await tx.customers.get(await tx.customers.record(await an_account(tx), PAYER))
        person = Person(guild_id=GUILD, customers=(customer,), user_id=CHARLIE)
        detail = {"name": "Zoë", "mail": "Zoë@example.com"}
        await tx.audit.add(AuditEntry(event="x", actor="y", guild_id=GUILD, user_id=CHARLIE, detail=detail), NOON)
        draft = Draft(dedupe_key="k", kind="mail", target=str(customer.id), template="connect", facts=detail)
        await tx.outbox.put(draft, NOON)
        bodies = [an_event("evt_1", body=b'{"email": "Zo\\u00eb@example.com", "id": "x"}'), an_event("evt_2")]
        await tx.inbox.add("stripe", bodies, NOON)

    async with database.write() as tx:
        assert (await tx.privacy.held(person, 10))["customers"][0]["name"] == "Zoë"
        await tx.privacy.erase(person, NOON)
        last = await tx.privacy.clear_bodies(person, 0, 10)
        assert await tx.privacy.clear_bodies(person, last, 10) == 0

    async with database.write() as tx:
        assert await tx.customers.record(await an_account(tx), PAYER) == customer.id
        kept = await tx.customers.get(customer.id)
        assert (kept.email, kept.name, kept.is_mail_refused) == ("", "", True)
        assert await tx.privacy.is_erased(customer.id)
        ((_, _, entry),) = await tx.audit.recent(1)
        assert entry.detail == {"name": "erased", "mail": "erased"}
        assert (await tx.inbox.get(1)).event.body == b'{"email": "erased", "id": "x"}'
        assert (await tx.inbox.get(2)).event.body == b"{}"
        assert await tx.outbox.get(1) is None

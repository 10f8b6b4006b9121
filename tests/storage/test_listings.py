"""Pages of provider events, of the record and of changes: what fits, in which order, and how much is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from membership.desk import Change
from membership.listing_ledgers import EntryFilter, EventFilter
from membership.model import GuildId
from membership.records import Account, AuditEntry, Draft
from storage import listings
from storage.store import Database, Transaction
from tests.storage.builders import CHARLIE, DANA, GUILD, a_linked_grant, a_purchase, an_event
from tests.storage.databases import NOON

ELSEWHERE = GuildId(2_200_000_000_000_000_002)
MINUTE = timedelta(minutes=1)


async def accounts(tx: Transaction) -> Sequence[Account]:
    return [await tx.accounts.ensure("stripe", "acct_1", True, NOON)]


async def test_events_are_listed_newest_first_and_filtered(database: Database) -> None:
    async with database.write() as tx:
        mine = await accounts(tx)
        await tx.inbox.add("stripe", [an_event(f"evt_{number}", type=f"t{number % 2}") for number in range(5)], NOON)
        await tx.inbox.settle((await tx.listings.events(mine, EventFilter(), limit=9)).rows[0].id, "ignored", "why")

        async def ids(before: int = 0, limit: int = 9, **wanted: str) -> list[str]:
            page = await tx.listings.events(mine, EventFilter(**wanted), before=before, limit=limit)
            return [line.external_id for line in page.rows]

        first = await tx.listings.events(mine, EventFilter(), limit=3)
        assert [line.external_id for line in first.rows] == ["evt_4", "evt_3", "evt_2"]
        assert first.rows[0].note == "why"
        assert await ids(before=first.next_before or 0) == ["evt_1", "evt_0"]
        assert await ids(state="ignored") == ["evt_4"]
        assert await ids(type="t1") == ["evt_3", "evt_1"]
        assert await ids(search="evt_2") == ["evt_2"]
        assert await ids(search=str(first.rows[1].id)) == ["evt_3"]
        assert await ids(search="evt") == []


async def test_events_of_other_accounts_are_not_there(database: Database) -> None:
    async with database.write() as tx:
        mine = await accounts(tx)
        await tx.inbox.add(
            "stripe", [an_event("evt_mine", account="acct_1"), an_event("evt_x", account="acct_2")], NOON
        )
        await tx.inbox.add("other", [an_event("evt_other")], NOON)
        everything = await tx.listings.events(mine, EventFilter(), limit=9)
        assert [line.external_id for line in everything.rows] == ["evt_mine"]
        assert (await tx.listings.events([], EventFilter(), limit=9)).rows == ()
        number = everything.rows[0].id
        assert [await tx.listings.event(each, mine) is None for each in (number, number + 1, number + 2)] == [
            False,
            True,
            True,
        ]
        assert await tx.listings.event(number, []) is None


async def test_a_rare_event_is_looked_for_a_part_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "WALK", 4)
    async with database.write() as tx:
        mine = await accounts(tx)
        events = [an_event(f"evt_{number}", type="rare" if number == 0 else "usual") for number in range(9)]
        await tx.inbox.add("stripe", events, NOON)
        found, before, pages = [], 0, 0
        while True:
            page = await tx.listings.events(mine, EventFilter(type="rare"), before=before, limit=9)
            found += [line.external_id for line in page.rows]
            pages += 1
            if page.next_before is None:
                break
            assert page.is_cut
            before = page.next_before
    assert found == ["evt_0"]
    assert pages == 3


def an_entry(event: str, **about: object) -> AuditEntry:
    usual: dict[str, object] = {"event": event, "actor": "doorlist", "guild_id": GUILD}
    return AuditEntry(**usual | about)  # type: ignore[arg-type]


async def test_the_record_is_listed_newest_first_and_filtered(database: Database) -> None:
    async with database.write() as tx:
        entries = [
            an_entry("role.added", user_id=CHARLIE),
            an_entry("staff.action", actor="staff:7", user_id=CHARLIE),
            an_entry("role.added", user_id=DANA),
            an_entry("role.added", guild_id=ELSEWHERE, user_id=CHARLIE),
            an_entry("staff.undo", actor="staff:77"),
        ]
        numbers = [await tx.audit.add(entry, NOON + index * MINUTE) for index, entry in enumerate(entries)]

        async def shown(before: int = 0, limit: int = 9, **wanted: object) -> list[int]:
            page = await tx.listings.entries(GUILD, EntryFilter(**wanted), before=before, limit=limit)  # type: ignore[arg-type]
            return [numbers.index(entry.number) for entry in page.rows]

        assert await shown() == [4, 2, 1, 0]
        assert await shown(limit=2) == [4, 2]
        assert await shown(before=numbers[2]) == [1, 0]
        assert await shown(events=("role.added",)) == [2, 0]
        assert await shown(user_id=CHARLIE) == [1, 0]
        assert await shown(actor="staff") == [4, 1]
        assert await shown(actor="staff:7") == [1]
        assert await shown(since=NOON + MINUTE) == [4, 2, 1]
        assert await shown(until=NOON + 2 * MINUTE) == [1, 0]
        assert await shown(since=NOON + 9 * MINUTE) == []
        assert await shown(until=NOON) == []
        assert (await tx.listings.entry(numbers[0], GUILD)) is not None
        assert (await tx.listings.entry(numbers[3], GUILD)) is None


async def test_a_rare_entry_is_looked_for_a_part_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "WALK", 4)
    async with database.write() as tx:
        for number in range(9):
            await tx.audit.add(an_entry("rare" if number == 0 else "usual"), NOON + number * MINUTE)
        first = await tx.listings.entries(GUILD, EntryFilter(events=("rare",)), limit=9)
        assert (first.rows, first.is_cut) == ((), True)
        second = await tx.listings.entries(GUILD, EntryFilter(events=("rare",)), before=first.next_before or 0, limit=9)
        assert [entry.what.event for entry in second.rows] == ["rare"]
        since = EntryFilter(events=("rare",), since=NOON + 7 * MINUTE)
        assert not (await tx.listings.entries(GUILD, since, limit=9)).is_cut, "nothing older is asked for"


async def test_changes_are_listed_by_whom_and_a_page_at_a_time(database: Database) -> None:
    async with database.write() as tx:
        for number in range(3):
            change = Change(
                guild_id=GUILD, actor=f"staff:{number % 2}", at=NOON, kind="guild", summary="", before={}, after={}
            )
            await tx.changes.add(change)
        page = await tx.listings.changes(GUILD, limit=2)
        rest = await tx.listings.changes(GUILD, before=page.next_before or 0, limit=2)
        own = await tx.listings.changes(GUILD, actor="staff:0", limit=9)
        assert [change.id for change in (*page.rows, *rest.rows)] == [3, 2, 1]
        assert rest.next_before is None
        assert [change.id for change in own.rows] == [3, 1]
        assert (await tx.listings.changes(ELSEWHERE, limit=9)).rows == ()


async def test_mails_about_a_purchase_are_told_with_their_last_try(database: Database) -> None:
    async with database.write() as tx:
        purchase = await a_purchase(tx)
        for number, about in enumerate((int(purchase.id), int(purchase.id), 77)):
            draft = Draft(
                dedupe_key=f"mail:{number}",
                kind="mail",
                target=str(purchase.customer_id),
                template="connect",
                facts={"purchase_id": about},
            )
            await tx.outbox.put(draft, NOON + number * MINUTE)
        await tx.outbox.record_try(1, "busy", NOON, is_answered=True)
        await tx.outbox.settle(1, "sent", "", NOON + MINUTE)
        mails = await tx.listings.mails(purchase.customer_id, purchase.id, 9)
    assert [(mail.state, mail.detail, mail.settled_at) for mail in mails] == [
        ("waiting", "", None),
        ("sent", "", NOON + MINUTE),
    ]


async def test_codes_of_a_purchase_are_told(database: Database) -> None:
    async with database.write() as tx:
        purchase = await a_purchase(tx)
        await tx.codes.issue("old", purchase.id, NOON)
        await tx.codes.issue("new", purchase.id, NOON + MINUTE)
        assert [code.digest for code in await tx.listings.codes(purchase.id, 9)] == ["new", "old"]


async def test_entries_about_a_payer_and_their_grants_are_told_without_other_servers(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        purchase = await tx.purchases.get(grant.purchase_id)
        told = [
            an_entry("grant.created", grant_id=grant.id, customer_id=purchase.customer_id),
            an_entry("link.created", guild_id=None, customer_id=purchase.customer_id),
            an_entry("grant.created", guild_id=ELSEWHERE, customer_id=purchase.customer_id, grant_id=grant.id),
            an_entry("role.added", user_id=CHARLIE),
        ]
        numbers = [await tx.audit.add(entry, NOON) for entry in told]
        found = await tx.listings.about(GUILD, purchase.customer_id, [grant.id], 9)
    assert [entry.number for entry in found] == [numbers[1], numbers[0]]

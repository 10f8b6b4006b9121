"""What a server's staff decide and keep: settings, changes, previews, exemptions, codes, payments, rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from membership.desk import (
    Adoption,
    AdoptionPolicy,
    Change,
    Exemption,
    MemberSettings,
    NotificationRule,
    NotifyMode,
    Payment,
    PaymentKind,
    PaymentTotal,
    PlanCode,
    PlanCodeLabel,
    PlanCodeUse,
    Post,
    Preview,
)
from membership.errors import Reason
from membership.model import (
    ChannelId,
    CustomerSnapshot,
    GrantState,
    GuildId,
    Lane,
    ManualChange,
    MemberKey,
    MessageId,
    PlanId,
    Purchase,
    UserId,
)
from membership.records import AuditEntry, DigestRhythm, Guild
from storage.store import Database, Transaction
from tests.storage.builders import CHARLIE, DANA, GUILD, VIP, a_linked_grant, a_plan, a_purchase, an_account
from tests.storage.databases import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ELSEWHERE = GuildId(2_200_000_000_000_000_002)
KEY = MemberKey(GUILD, CHARLIE)


def a_change(**named: Any) -> Change:
    usual: dict[str, Any] = {"guild_id": GUILD, "actor": "staff:1", "at": NOON, "kind": "guild", "summary": "DMs off"}
    return Change(**usual | {"before": {"dms": True}, "after": {"dms": False}} | named)


def a_preview(**named: Any) -> Preview:
    usual: dict[str, Any] = {"id": "p1", "guild_id": GUILD, "actor": "staff:1", "kind": "plan", "content": {"a": [1]}}
    return Preview(**usual | {"set_hash": "abc", "created_at": NOON, "expires_at": NOON + HOUR} | named)


async def a_code(tx: Transaction, digest: str = "d1", **named: Any) -> PlanCode:
    plan = await tx.plans.by_slug("vip") or await a_plan(tx)
    usual: dict[str, Any] = {"digest": digest, "guild_id": GUILD, "plan_id": plan.id, "duration_days": 30}
    terms = {"max_uses": 2, "expires_at": NOON + DAY, "label": "raffle", "created_by": "staff:1", "created_at": NOON}
    code = PlanCode(**usual | terms | named)
    await tx.plan_codes.add(code)
    return code


def a_payment(purchase: Purchase, key: str, **named: Any) -> Payment:
    usual: dict[str, Any] = {"account_id": purchase.account_id, "purchase_id": purchase.id, "at": NOON, "key": key}
    return Payment(**usual | {"amount": 900, "currency": "eur", "kind": PaymentKind.NEW} | named)


async def test_a_guild_that_is_seen_for_the_first_time_is_not_active(database: Database) -> None:
    async with database.write() as tx:
        assert await tx.guilds.ensure(GUILD, "Club") == Guild(id=GUILD, name="Club")
        assert not (await tx.guilds.ensure(GUILD, "Club")).is_active


async def test_every_setting_of_a_guild_is_kept(database: Database) -> None:
    settings = Guild(
        id=GUILD,
        name="Club",
        is_active=True,
        approved_by="operator",
        payment_channel_id=ChannelId(1),
        membership_channel_id=ChannelId(2),
        panel_channel_id=ChannelId(3),
        panel_message_id=MessageId(4),
        welcome_channel_id=ChannelId(5),
        welcome_message_id=MessageId(6),
        language="it",
        time_zone="Europe/Rome",
        digest=DigestRhythm.WEEKLY,
        digest_hour=7,
        manual_change=ManualChange.REPORT,
        dms=False,
        paused_at=NOON,
        paused_by="staff:1",
        pause_reason="a raid",
    )
    async with database.write() as tx:
        await tx.guilds.ensure(GUILD, "Club")
        await tx.guilds.replace(settings)
    async with database.read() as tx:
        assert await tx.guilds.get(GUILD) == settings


async def test_a_transaction_reads_a_guild_as_it_wrote_it_last(database: Database) -> None:
    async with database.write() as tx:
        assert await tx.guilds.get(GUILD) is None
        guild = await tx.guilds.ensure(GUILD, "Club")
        assert await tx.guilds.get(GUILD) == guild
        await tx.guilds.replace(replace(guild, dms=False))
        assert await tx.guilds.get(GUILD) == replace(guild, dms=False)
        await tx.guilds.set_claim_cursor(GUILD, MessageId(9))
        assert await tx.guilds.get(GUILD) == replace(guild, dms=False, claim_cursor=MessageId(9))


async def test_a_guild_uses_only_the_accounts_it_was_allowed(database: Database) -> None:
    async with database.write() as tx:
        account_id = await an_account(tx)
        for _ in range(2):
            await tx.guilds.allow_account(GUILD, account_id)
        assert [account.id for account in await tx.guilds.accounts_of(GUILD)] == [account_id]
        assert await tx.guilds.accounts_of(ELSEWHERE) == []
        await tx.guilds.forbid_account(GUILD, account_id)
        assert await tx.guilds.accounts_of(GUILD) == []


async def test_changes_are_found_in_their_own_guild_newest_first(database: Database) -> None:
    async with database.write() as tx:
        old = await tx.changes.add(a_change(at=NOON - 8 * DAY))
        first, second = await tx.changes.add(a_change()), await tx.changes.add(a_change(at=NOON + HOUR))
        assert [change.id for change in await tx.changes.recent(GUILD, NOON - DAY, 10)] == [second, first]
        assert await tx.changes.get(old, GUILD) == a_change(id=old, at=NOON - 8 * DAY)
        assert await tx.changes.get(old, ELSEWHERE) is None
        assert await tx.changes.recent(ELSEWHERE, NOON - DAY, 10) == []


async def test_a_change_is_undone_once(database: Database) -> None:
    async with database.write() as tx:
        change_id = await tx.changes.add(a_change())
        assert [await tx.changes.mark_undone(change_id, NOON) for _ in range(2)] == [True, False]
        assert await tx.changes.get(change_id, GUILD) == a_change(id=change_id, undone_at=NOON)


async def test_a_preview_serves_once_in_its_guild_until_it_expires(database: Database) -> None:
    async with database.write() as tx:
        await tx.previews.put(a_preview())
        assert await tx.previews.get("p1", GUILD, NOON) == a_preview()
        assert await tx.previews.get("p1", GUILD, NOON + HOUR) is None
        assert await tx.previews.take("p1", ELSEWHERE, NOON) is None
        assert [await tx.previews.take("p1", GUILD, NOON) for _ in range(2)] == [a_preview(), None]


async def test_old_previews_are_thrown_away(database: Database) -> None:
    async with database.write() as tx:
        await tx.previews.put(a_preview())
        assert await tx.retention.prune(NOON + DAY, 10) == 1


async def test_an_exemption_is_in_force_until_its_end(database: Database) -> None:
    exemption = Exemption(key=KEY, until=NOON + DAY, reason="a friend", actor="staff:1", created_at=NOON)
    for_ever = replace(exemption, until=None)
    async with database.write() as tx:
        await tx.exemptions.put(exemption)
        assert await tx.exemptions.get(KEY, NOON) == exemption
        assert await tx.exemptions.get(KEY, NOON + DAY) is None
        await tx.exemptions.put(for_ever)
        assert await tx.exemptions.of_guild(GUILD, NOON + DAY, 10) == [for_ever]
        assert await tx.exemptions.of_guild(ELSEWHERE, NOON, 10) == []
        assert [await tx.exemptions.lift(KEY) for _ in range(2)] == [for_ever, None]


async def test_a_notification_rule_replaces_the_one_before_and_goes(database: Database) -> None:
    rule = NotificationRule(guild_id=GUILD, event="payment", mode=NotifyMode.DIGEST)
    louder = replace(rule, mode=NotifyMode.EVERY, channel_id=ChannelId(5), ping_role_id=VIP)
    async with database.write() as tx:
        await tx.rules.put(rule)
        assert await tx.rules.of_guild(GUILD) == [rule]
        await tx.rules.put(louder)
        assert await tx.rules.of_guild(GUILD) == [louder]
        await tx.rules.clear(GUILD, "payment")
        assert await tx.rules.of_guild(GUILD) == []


async def test_a_posted_problem_is_open_until_it_is_solved(database: Database) -> None:
    post = Post(guild_id=GUILD, problem_key="grant:1", channel_id=ChannelId(5), message_id=MessageId(6))
    async with database.write() as tx:
        await tx.posts.put(post)
        assert await tx.posts.open(GUILD, 10) == [post]
        await tx.posts.put(replace(post, state="solved"))
        assert await tx.posts.open(GUILD, 10) == []
        assert await tx.posts.get(GUILD, "grant:1") == replace(post, state="solved")


async def test_a_plan_code_is_used_once_a_person_and_as_often_as_it_says(database: Database) -> None:
    async with database.write() as tx:
        code, purchase = await a_code(tx), await a_purchase(tx)
        use = PlanCodeUse(digest=code.digest, user_id=CHARLIE, used_at=NOON, purchase_id=purchase.id)
        assert await tx.plan_codes.use(use)
        assert await tx.plan_codes.use(replace(use, user_id=DANA))
        assert not await tx.plan_codes.use(replace(use, user_id=UserId(7)))
        assert {each.user_id for each in await tx.plan_codes.uses(code.digest, 10)} == {CHARLIE, DANA}


async def test_a_person_does_not_use_a_plan_code_twice(database: Database) -> None:
    async with database.write() as tx:
        code, purchase = await a_code(tx), await a_purchase(tx)
        use = PlanCodeUse(digest=code.digest, user_id=CHARLIE, used_at=NOON, purchase_id=purchase.id)
        assert [await tx.plan_codes.use(use) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("terms", [{"expires_at": NOON}, {"is_void": True}, {"max_uses": 0}])
async def test_a_plan_code_that_is_not_in_force_is_not_used(database: Database, terms: dict[str, Any]) -> None:
    async with database.write() as tx:
        code, purchase = await a_code(tx, **terms), await a_purchase(tx)
        use = PlanCodeUse(digest=code.digest, user_id=CHARLIE, used_at=NOON, purchase_id=purchase.id)
        assert not await tx.plan_codes.use(use)


async def test_a_plan_code_is_switched_off_by_its_own_guild_alone(database: Database) -> None:
    async with database.write() as tx:
        code = await a_code(tx)
        assert not await tx.plan_codes.set_void([code.digest], ELSEWHERE, is_void=True)
        assert [await tx.plan_codes.set_void([code.digest], GUILD, is_void=True) for _ in range(2)] == [1, 0]
        assert await tx.plan_codes.of_guild(GUILD, 10, label="raffle") == [replace(code, is_void=True)]
        assert await tx.plan_codes.of_guild(GUILD, 10, label="other") == []
        assert await tx.plan_codes.of_guild(ELSEWHERE, 10) == []


async def test_a_payment_is_written_once_and_summed_up_in_its_guild(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        purchase = await tx.purchases.get(grant.purchase_id)
        assert [await tx.payments.add(a_payment(purchase, "new")) for _ in range(2)] == [True, False]
        await tx.payments.add(a_payment(purchase, "r1", kind=PaymentKind.RENEWAL, at=NOON + DAY))
        await tx.payments.add(a_payment(purchase, "r2", kind=PaymentKind.RENEWAL, at=NOON + 2 * DAY))
        totals = await tx.payments.totals(GUILD, NOON, NOON + 2 * DAY)
        assert totals == [
            PaymentTotal(kind=PaymentKind.NEW, currency="eur", count=1, amount=900),
            PaymentTotal(kind=PaymentKind.RENEWAL, currency="eur", count=1, amount=900),
        ]
        assert await tx.payments.totals(ELSEWHERE, NOON, NOON + 2 * DAY) == []
        first, second = await tx.payments.in_guild(GUILD, NOON, NOON + 2 * DAY, limit=10)
        assert [first.key, second.key] == ["new", "r1"]
        assert await tx.payments.in_guild(GUILD, NOON, NOON + 2 * DAY, after=first.id, limit=10) == [second]


async def test_an_adoption_is_one_word_per_role(database: Database) -> None:
    leave = Adoption(guild_id=GUILD, role_id=VIP, policy=AdoptionPolicy.LEAVE, decided_by="staff:1", decided_at=NOON)
    remove = replace(leave, policy=AdoptionPolicy.REMOVE, notice_until=NOON + DAY)
    async with database.write() as tx:
        await tx.adoptions.put(leave)
        await tx.adoptions.put(remove)
        assert await tx.adoptions.of_guild(GUILD) == [remove]
        assert await tx.adoptions.get(ELSEWHERE, VIP) is None
        await tx.adoptions.clear(GUILD, VIP)
        assert await tx.adoptions.get(GUILD, VIP) is None


async def test_a_person_who_never_chose_has_the_defaults(database: Database) -> None:
    chosen = MemberSettings(user_id=CHARLIE, dms=False, language="it")
    async with database.write() as tx:
        assert await tx.member_settings.get(CHARLIE) == MemberSettings(user_id=CHARLIE)
        for settings in (replace(chosen, dms=True), chosen):
            await tx.member_settings.put(settings)
        assert await tx.member_settings.get(CHARLIE) == chosen


@pytest.mark.parametrize("typed", ["Ada@ex", " ADA", "lovel", "cus_1", "sub_1", "cs_1"])
async def test_a_payer_is_found_by_what_staff_type(database: Database, typed: str) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        purchase = await a_purchase(tx, read_at=NOON + HOUR, checkout_id="cs_1")
        snapshot = CustomerSnapshot(external_id="cus_1", email="ada@Example.com", name="Lovelace Ada")
        await tx.customers.record(purchase.account_id, snapshot)
        (found,) = await tx.customers.search(GUILD, typed, 5)
        assert (found.id, purchase.id) == (purchase.customer_id, grant.purchase_id)


async def test_nobody_is_found_from_another_guild_nor_by_nothing(database: Database) -> None:
    async with database.write() as tx:
        await a_linked_grant(tx)
        assert await tx.customers.search(ELSEWHERE, "cus_1", 5) == []
        assert await tx.customers.search(GUILD, " ", 5) == []
        assert await tx.customers.search(GUILD, "%", 5) == []


async def test_what_belongs_to_a_guild_is_not_found_from_another(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        purchase = await tx.purchases.get(grant.purchase_id)
        assert await tx.purchases.grant_in_guild(grant.id, GUILD) == grant
        assert await tx.purchases.grant_in_guild(grant.id, ELSEWHERE) is None
        assert await tx.purchases.in_guild(purchase.id, GUILD) == purchase
        assert await tx.purchases.in_guild(purchase.id, ELSEWHERE) is None
        assert await tx.customers.in_guild(purchase.customer_id, GUILD) is not None
        assert await tx.customers.in_guild(purchase.customer_id, ELSEWHERE) is None
        assert await tx.plans.in_guild(grant.plan_id, GUILD) is not None
        assert await tx.plans.in_guild(grant.plan_id, ELSEWHERE) is None
        assert [customer.id for customer in await tx.customers.of_member(KEY)] == [purchase.customer_id]
        assert await tx.customers.of_member(MemberKey(ELSEWHERE, CHARLIE)) == []


async def test_a_guild_knows_whom_it_bears_on_and_how_they_stand(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        await a_linked_grant(tx, DANA, external_id="sub_2", customer="cus_2")
        both = sorted([KEY, MemberKey(GUILD, DANA)])
        assert await tx.members.keys_of_guild(GUILD, UserId(0), 10) == both
        assert await tx.members.keys_of_guild(GUILD, both[0].user_id, 10) == both[1:]
        assert await tx.members.keys_of_guild(ELSEWHERE, UserId(0), 10) == []
        assert await tx.purchases.grant_counts(GUILD) == {(PlanId(grant.plan_id), GrantState.PENDING): 2}
        assert (await tx.members.get(KEY), await tx.members.count_present(GUILD)) == (None, 0)


async def test_what_the_brake_holds_is_active_and_other_held_grants_are_not(database: Database) -> None:
    stands = [
        (GrantState.DELIVERED, Reason.PAID),
        (GrantState.PAST_DUE, Reason.PAYMENT_FAILED),
        (GrantState.HELD, Reason.BRAKE),
        (GrantState.HELD, Reason.STATUS_UNKNOWN),
        (GrantState.HELD, Reason.HAND_REMOVED),
    ]
    async with database.write() as tx:
        for number, (state, reason) in enumerate(stands):
            user = UserId(900 + number)
            grant = await a_linked_grant(tx, user, external_id=f"sub_{number}", customer=f"cus_{number}")
            await tx.purchases.set_grant(replace(grant, state=state, reason=reason))
        counts = await tx.purchases.active_counts(GUILD)
        assert {state: count for (_, state), count in counts.items()} == {
            GrantState.DELIVERED: 1,
            GrantState.PAST_DUE: 1,
            GrantState.HELD: 1,
        }
        assert await tx.purchases.active_counts(ELSEWHERE) == {}


async def test_a_revocation_is_kept_with_the_grant(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        await tx.purchases.set_grant(replace(grant, revoke_at=NOON))
        assert await tx.purchases.grant_in_guild(grant.id, GUILD) == replace(grant, revoke_at=NOON)
        (claim,) = (await tx.members.facts(KEY)).claims
        assert claim.grant.revoke_at == NOON


async def test_entries_are_counted_and_chosen_by_event(database: Database) -> None:
    async with database.write() as tx:
        for hours, event in enumerate(("staff.action", "role.added", "staff.action")):
            await tx.audit.add(AuditEntry(event=event, actor="x", guild_id=GUILD), NOON + hours * HOUR)
        assert await tx.audit.counts(GUILD, NOON, NOON + 2 * HOUR) == {"staff.action": 1, "role.added": 1}
        found = await tx.audit.recent(10, guild_id=GUILD, events=("staff.action",), since=NOON + HOUR)
        assert [at for _, at, _ in found] == [NOON + 2 * HOUR]


async def test_a_job_says_how_it_stands(database: Database) -> None:
    async with database.write() as tx:
        assert await tx.jobs.status("member", str(KEY)) is None
        await tx.jobs.mark("member", str(KEY), lane=Lane.EVENT, run_at=NOON)
        (job,) = await tx.jobs.claim(NOON, NOON + HOUR, 1, [])
        running = await tx.jobs.status("member", str(KEY))
        await tx.jobs.fail(job, "no answer", not_before=NOON + DAY)
        failed = await tx.jobs.status("member", str(KEY))
    assert running is not None
    assert failed is not None
    assert running.is_running
    assert (failed.is_running, failed.last_error, failed.due_at) == (False, "no answer", NOON + DAY)


async def test_a_code_of_a_plan_that_does_not_exist_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await a_code(tx, plan_id=PlanId(99))


async def test_plan_codes_are_summed_up_by_label_and_read_in_pages(database: Database) -> None:
    async with database.write() as tx:
        for number in range(3):
            await a_code(tx, f"d{number}", is_void=number == 0)
        (label,) = await tx.plan_codes.labels(GUILD, 10)
        assert label == PlanCodeLabel(label="raffle", codes=3, void=1, uses=0, max_uses=6)
        assert [code.digest for code in await tx.plan_codes.of_guild(GUILD, 2, label="raffle", after=1)] == ["d1", "d2"]
        assert [code.digest for code in await tx.plan_codes.named(["d2", "d9"], GUILD)] == ["d2"]
        assert await tx.plan_codes.labels(ELSEWHERE, 10) == []

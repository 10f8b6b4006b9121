"""Many memberships in every state, for lists over them: rows as production code leaves them, written in SQL at once."""

from __future__ import annotations

from sqlalchemy import text

from membership.model import GuildId, Plan, PlanId, PlanProduct, RoleId
from membership.services import Services
from storage.store import Database

GUILD = GuildId(1_100_000_000_000_000_001)
FIRST_USER = 1_200_000_000_000_000_000
ROLE = RoleId(1_300_000_000_000_000_001)
PLANS = ("vip", "gold", "course")

# Of a hundred payers 78 pay, 4 are in their trial, 5 are late, 5 are not connected, 2 are refused, 1 is held and 5 have
# ended. One in fifty of those who pay has cancelled.
_STANDING = """
CASE WHEN part < 78 THEN {0} WHEN part < 82 THEN {1} WHEN part < 87 THEN {2} WHEN part < 92 THEN {3}
     WHEN part < 94 THEN {4} WHEN part < 95 THEN {5} ELSE {6} END
"""
_STATE = _STANDING.format("'delivered'", "'delivered'", "'past_due'", "'pending'", "'failed'", "'held'", "'revoked'")
_REASON = _STANDING.format(
    "'paid'", "'trial'", "'payment_failed'", "'not_linked'", "'role_above_bot'", "'brake'", "'cancelled'"
)
_STATUS = _STANDING.format("'active'", "'trialing'", "'past_due'", "'active'", "'active'", "'ended'", "'ended'")

_CROWD = """
CREATE TEMP TABLE crowd AS
WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :count)
SELECT number, (number * 37) % 100 AS part, number % 3 AS plan, :now - (:count - number) * 60000000 AS at FROM numbers
"""
_ROWS = (
    """
    INSERT INTO customers (id, account_id, external_id, email, name, locale, is_mail_refused, is_deleted, email_key,
        name_key)
    SELECT number, :account_id, 'cus_' || number, 'Buyer' || number || '@example.com', 'Buyer ' || number, '', 0, 0,
        'buyer' || number || '@example.com', 'buyer ' || number FROM crowd
    """,
    f"""
    INSERT INTO purchases (id, account_id, customer_id, external_id, kind, status, raw_status, read_at, started_at,
        period_ends_at, ends_at, trial_ends_at, past_due_since, refund, dispute, amount, currency, checkout_id,
        may_give_access)
    SELECT number, :account_id, number, 'sub_' || number, 'subscription', {_STATUS}, '', :now, at, :later,
        CASE WHEN number % 50 = 0 THEN :later END, CASE WHEN part BETWEEN 78 AND 81 THEN :later END,
        CASE WHEN part BETWEEN 82 AND 86 THEN :now END, 'none', 'none', 900, 'eur', '', part < 94 FROM crowd
    """,  # noqa: S608 - nothing comes in
    "INSERT INTO purchase_items (purchase_id, position, product_id, price_id, quantity) "
    "SELECT number, 0, 'prod_' || plan, 'price_' || plan, 1 FROM crowd",
    f"""
    INSERT INTO grants (id, purchase_id, plan_id, guild_id, product_id, price_id, state, reason, episode, opened_at,
        ended_at)
    SELECT number, number, :first_plan + plan, :guild_id, 'prod_' || plan, 'price_' || plan, {_STATE}, {_REASON}, 1,
        at, CASE WHEN part >= 95 THEN :now END FROM crowd
    """,  # noqa: S608 - nothing comes in
    "INSERT INTO links (customer_id, user_id, proof, created_at) "
    "SELECT number, :first_user + number, 'oauth', at FROM crowd WHERE part NOT BETWEEN 87 AND 91",
    """
    INSERT INTO members (guild_id, user_id, name, name_key, desired, observed, is_present, observed_at)
    SELECT :guild_id, :first_user + number, 'Member' || number, 'member' || number, '', '', 1, :now FROM crowd
    WHERE part NOT BETWEEN 87 AND 91
    """,
    "DROP TABLE crowd",
)


async def fill(database: Database, services: Services, count: int) -> GuildId:
    """Write a server with three plans and `count` memberships into a new SQLite database; return the server."""
    async with database.write() as tx:
        now = services.clock.now()
        account = await tx.accounts.ensure("stripe", "acct_bench", False, now)
        await tx.guilds.ensure(GUILD, "Bench")
        await tx.connection.execute(text("UPDATE guilds SET is_active = 1"))
        await tx.guilds.allow_account(GUILD, account.id)
        made = []
        for number, slug in enumerate(PLANS):
            sold = PlanProduct(account_id=account.id, product_id=f"prod_{number}")
            plan = Plan(id=PlanId(0), guild_id=GUILD, name=slug.upper(), slug=slug, roles=(ROLE,), products=(sold,))
            made.append(await tx.plans.create(plan))
        moment = int(now.timestamp()) * 1_000_000
        given = {
            "count": count,
            "now": moment,
            "later": moment + 20 * 86_400_000_000,
            "account_id": account.id,
            "guild_id": GUILD,
            "first_plan": made[0].id,
            "first_user": FIRST_USER,
        }
        for statement in (_CROWD, *_ROWS):
            wanted = {name: value for name, value in given.items() if f":{name}" in statement}
            await tx.connection.execute(text(statement), wanted)
    return GUILD

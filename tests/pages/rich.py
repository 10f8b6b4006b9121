"""Two servers in full use: people in every state, a held wave, plans, codes, notes, trouble, and a server next door.

Everything comes about as in reality, through the world's verbs. The names in `NAMES` are all that anybody typed.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from membership import (
    comps,
    exemptions,
    first_sign_in,
    notes,
    plan_codes,
    plans,
    preview,
    server_moves,
    shop,
    sign_ins,
    verifying,
)
from membership.actors import Actor
from membership.browsing import MailText, Person, Run
from membership.comps import Terms as CompTerms
from membership.errors import Retry
from membership.model import (
    ChannelId,
    Dispute,
    Lane,
    MemberKey,
    Plan,
    PlanId,
    PlanProduct,
    PurchaseKind,
    PurchaseStatus,
    Refund,
    UserId,
)
from membership.move_previews import Route
from membership.plan_codes import Terms as CodeTerms
from membership.policy import Policy
from membership.ports import CheckoutOrder, Icon, IncomingEvent, Invoice, InvoiceState, Price
from membership.sign_ins import Proven
from tests.pages.cast import (
    DISPO,
    ENNO,
    EVE,
    FATIMA,
    FRED,
    GINA,
    HENRI,
    JUNO,
    LOUNGE,
    NAMES,
    NEXT_DOOR,
    PAUL,
    REGULAR,
    RITA,
    RUFUS,
    SECOND,
    SECOND_ROLE,
    TEACHER,
    TRIXI,
    TYPED,
    ULLA,
    XENIA,
)
from tests.pages.named_discord import NamedDiscord, picture
from tests.pages.stage import OWNER
from tests.usecases.fake_discord import BOT_POSITION, FakeGuild
from tests.usecases.fake_provider import FakeProvider
from tests.usecases.world import (
    ALICE,
    CHARLIE,
    CLAIM_CHANNEL,
    DORA,
    EVENT_CHANNEL,
    FRIEND,
    GOLD,
    GUILD,
    LATE,
    TRIAL,
    VIP,
    World,
)

OWNER_ACTS = Actor(
    guild_id=GUILD, user_id=ALICE, name="alice.w", can_staff=True, can_manage=True, can_data=True, top_position=None
)
NEIGHBOUR_ACTS = replace(OWNER_ACTS, guild_id=NEXT_DOOR, user_id=FRED, name="fred.nextdoor")

_OUTSIDE = ("clock", "fuse", "discord", "provider", "mailer", "randomness", "account_id", "_numbers")


class LongIds(FakeProvider):
    """Names its checkouts as a real platform does."""

    async def checkout(self, order: CheckoutOrder) -> tuple[str, str]:
        checkout_id, url = await super().checkout(order)
        return f"cs_test_{checkout_id}", url


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What only links carry: each opens a page for whoever has it."""

    connect: str
    billing: str
    unsubscribe: str
    verify: str
    first: str
    checkout: str
    payer_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnished:
    """A furnished world at rest: its database, its links, and everything outside of it."""

    path: Path
    secrets: Secrets
    outside: Mapping[str, Any]

    async def opened(self, path: Path) -> World:
        """Wake a copy of the world on a database at `path`."""
        shutil.copyfile(self.path, path)
        world = World(path, Policy())
        for name, value in copy.deepcopy(self.outside).items():
            setattr(world, name, value)
        await world.start()
        return world


async def furnished_world(migrated: Path, directory: Path) -> Furnished:
    """Furnish a world on a copy of a migrated database, and put it to rest."""
    path = directory / "furnished.db"
    shutil.copyfile(migrated, path)
    world = World(path, Policy())
    world.discord = NamedDiscord(world.fuse, NAMES)
    world.provider = LongIds(world.clock, world.fuse)
    await world.start()
    await world.open_server()
    secrets = await furnish(world)
    await world.close()
    outside = {name: getattr(world, name) for name in _OUTSIDE}
    return Furnished(path=path, secrets=secrets, outside=outside)


async def furnish(world: World) -> Secrets:
    """Fill both servers, and return the secrets of fresh links."""
    await _two_servers(world)
    await _what_is_sold(world)
    await _charlie_and_dora(world)
    await _everybody_else(world)
    await _what_staff_did(world)
    await _next_door(world)
    await _a_held_wave(world)
    await _trouble(world)
    return await _fresh_links(world)


async def _two_servers(world: World) -> None:
    here = world.discord.guilds[GUILD]
    here.name, here.icon = TYPED["server"], Icon(key="abc", content=picture(), content_type="image/png")
    here.roles |= {LOUNGE: 9, TEACHER: 8}
    here.channels = {EVENT_CHANNEL: NAMES[EVENT_CHANNEL], CLAIM_CHANNEL: NAMES[CLAIM_CHANNEL]}
    here.size, here.owner_id = 214, ALICE
    here.dangers = {FRIEND: ("Ban Members",)}
    there = FakeGuild(roles={REGULAR: 10}, members={FRED: set()}, name=TYPED["server next door"], owner_id=FRED)
    there.channels = {ChannelId(950): "lobby"}
    world.discord.guilds[NEXT_DOOR] = there
    second = FakeGuild(roles={SECOND_ROLE: 10}, members={OWNER: set()}, name=TYPED["second server"], owner_id=OWNER)
    world.discord.guilds[SECOND] = second
    async with world.services.store.write() as tx:
        guild = await tx.guilds.ensure(GUILD, TYPED["server"])
        guild = replace(guild, name=TYPED["server"], imprint=TYPED["imprint"], support_address=TYPED["support"])
        await tx.guilds.replace(replace(guild, approved_by="operator", accent="0b5d2e"))
        other = await tx.guilds.ensure(NEXT_DOOR, TYPED["server next door"])
        await tx.guilds.replace(replace(other, is_active=True, approved_by="operator"))
        other = await tx.guilds.ensure(SECOND, TYPED["second server"])
        await tx.guilds.replace(replace(other, is_active=True, approved_by="operator"))
        for each in (GUILD, NEXT_DOOR, SECOND):
            await tx.guilds.allow_account(each, world.account_id)


async def _what_is_sold(world: World) -> None:
    vip = await world.plan("vip", VIP, past_due_role_id=LATE, trial_role_id=TRIAL)
    await _named(world, vip, TYPED["plan"])
    await _named(world, await world.plan("gold", GOLD), "Golden Plan")
    await _named(world, await world.plan("course", TEACHER, duration_days=90), "Course for all")
    await _named(world, await world.plan("lounge", LOUNGE, FRIEND), "Lounge only")
    archived = await _named(world, await world.plan("old", FRIEND), "Founders of old")
    async with world.services.store.write() as tx:
        await tx.plans.replace(replace(archived, is_archived=True))
    monthly = Price(
        external_id="price_vip",
        product_id="prod_vip",
        product_name=TYPED["product"],
        amount=900,
        currency="eur",
        interval="month",
    )
    prices = [
        monthly,
        replace(monthly, external_id="price_vip_year", amount=9000, interval="year"),
        replace(monthly, external_id="price_gold", product_id="prod_gold", product_name="Gold", amount=1900),
        replace(monthly, external_id="price_course", product_id="prod_course", product_name="Course", interval=""),
        replace(monthly, external_id="price_regular", product_id="prod_regular", product_name="Regular", amount=500),
    ]
    world.provider.catalogue = prices
    async with world.services.store.write() as tx:
        await tx.accounts.record_prices(world.account_id, prices)


async def _named(world: World, plan: Plan, name: str) -> Plan:
    async with world.services.store.write() as tx:
        await tx.plans.replace(replace(plan, name=name))
    return replace(plan, name=name)


async def _charlie_and_dora(world: World) -> None:
    await world.member("vip", CHARLIE)
    course = await world.buys("course", by=f"user{CHARLIE}", kind=PurchaseKind.ONE_TIME, amount=4900)
    await world.links(course, CHARLIE)
    await world.buys("gold", by="dora")
    bought = await world.member("vip", DORA)
    await world.changes(bought, status=PurchaseStatus.PAST_DUE, raw_status="past_due")
    now = world.clock.now()
    world.provider.bills[f"cus_user{CHARLIE}"] = [
        Invoice(
            external_id="in_1",
            made_at=now,
            amount=900,
            currency="eur",
            state=InvoiceState.PAID,
            number="ADA-0001",
            url="https://pay.example/in_1",
        ),
        Invoice(external_id="in_2", made_at=now, amount=900, currency="eur", state=InvoiceState.OPEN),
    ]


async def _everybody_else(world: World) -> None:
    """Bring one person into each state that there is a word for."""
    now = world.clock.now()
    soon = now + timedelta(days=9)
    await world.member("vip", TRIXI, status=PurchaseStatus.TRIALING, raw_status="trialing", trial_ends_at=soon)
    await world.member("vip", ENNO, ends_at=soon)
    paused = await world.member("vip", PAUL)
    await world.changes(paused, status=PurchaseStatus.PAUSED, raw_status="paused")
    world.discord.guilds[GUILD].roles[GOLD] = BOT_POSITION + 5
    await world.member("gold", FATIMA)
    disputed = await world.member("vip", DISPO)
    await world.changes(disputed, dispute=Dispute.OPEN)
    refunded = await world.member("vip", RUFUS)
    await world.changes(refunded, refund=Refund.FULL, status=PurchaseStatus.ENDED, raw_status="canceled")
    unclear = await world.member("vip", ULLA)
    await world.changes(unclear, status=PurchaseStatus.UNKNOWN, raw_status="on_the_moon")
    await world.links(await world.buys("vip", by=f"user{JUNO}"), JUNO)
    world.joins(RITA)
    world.discord.guilds[GUILD].pending.add(RITA)
    await world.links(await world.buys("vip", by=f"user{RITA}"), RITA)
    await world.buys("vip", by="nobody-yet")
    await world.advance(hours=1)
    ended = await world.member("vip", XENIA)
    await world.changes(ended, status=PurchaseStatus.ENDED, raw_status="canceled")


async def _what_staff_did(world: World) -> None:
    services, reason = world.services, TYPED["reason"]
    vip = await _plan(world, "vip")
    world.joins(GINA)
    until = world.clock.now() + timedelta(days=20)
    await comps.grant(services, OWNER_ACTS, GINA, CompTerms(plan_id=vip.id, until=until, reason=reason))
    await notes.note(services, OWNER_ACTS, CHARLIE, TYPED["note"])
    await exemptions.exempt(services, OWNER_ACTS, GINA, until=until, reason=reason)
    terms = CodeTerms(plan_id=vip.id, days=30, count=3, max_uses=2, label=TYPED["label"])
    made = await plan_codes.create(services, OWNER_ACTS, terms)
    world.joins(HENRI)
    await world.claims(HENRI, made.codes[0])
    await previewed(world, OWNER_ACTS, replace(vip, roles=(VIP, LOUNGE)))
    await _carried(world, OWNER_ACTS, Route(plan_ids=(vip.id,), roles={VIP: SECOND_ROLE}))
    text = MailText(guild_id=GUILD, template="connect", language="en", subject=TYPED["subject"], intro=TYPED["intro"])
    async with services.store.write() as tx:
        await tx.mail_texts.put(text)
    await world.settle()


async def previewed(world: World, actor: Actor, plan: Plan) -> str:
    """Look at a change of a plan; return the id of what was kept."""
    tallies = [tally async for tally in preview.count(world.services, plan)]
    return (await preview.keep(world.services, actor, plan, tallies[-1])).id


async def _carried(world: World, actor: Actor, route: Route) -> None:
    """Look at what carrying plans to the second server would do."""
    await server_moves.show(world.services, actor, replace(actor, guild_id=SECOND), route)


async def _plan(world: World, slug: str) -> Plan:
    async with world.services.store.read() as tx:
        found = await tx.plans.by_slug(slug)
    assert found is not None
    return found


async def _next_door(world: World) -> None:
    """Let the other server have one of everything, so that its ids are there to be tried."""
    services = world.services
    regular = await plans.save(
        services,
        Plan(
            id=PlanId(0),
            guild_id=NEXT_DOOR,
            name="Regular Plan",
            slug="regular",
            roles=(REGULAR,),
            products=(PlanProduct(account_id=world.account_id, product_id="prod_regular"),),
        ),
    )
    await world.settle()
    world.discord.guilds[NEXT_DOOR].members[EVE] = set()
    await world.links(await world.buys("regular", by="eve"), EVE)
    terms = CompTerms(plan_id=regular.id, until=None, reason="a friend of the house")
    await comps.grant(services, NEIGHBOUR_ACTS, FRED, terms)
    await notes.note(services, NEIGHBOUR_ACTS, EVE, "pays in cash")
    await plan_codes.create(services, NEIGHBOUR_ACTS, CodeTerms(plan_id=regular.id, days=3, label="next-raffle"))
    await previewed(world, NEIGHBOUR_ACTS, replace(regular, name="Regular Plan Two"))
    await _carried(world, NEIGHBOUR_ACTS, Route(plan_ids=(regular.id,), roles={REGULAR: SECOND_ROLE}))
    await world.settle()
    await plans.save(services, replace(regular, products=()))
    await world.settle()


async def _a_held_wave(world: World) -> None:
    lounge = await _plan(world, "lounge")
    for user in (UserId(50), UserId(51), UserId(52)):
        await world.member("lounge", user)
    await plans.save(world.services, replace(lounge, roles=(FRIEND,)))
    await world.settle()


async def _trouble(world: World) -> None:
    services, now = world.services, world.clock.now()
    world.provider.faults.fails("read", Retry("the provider did not answer"))
    odd = IncomingEvent(external_id="evt_odd", type="invoice.paid", body=b'{"id": "evt_odd"}', is_live=True)
    await services.intake.accept("stripe", [odd])
    await world.settle()
    async with services.store.write() as tx:
        for guild_id, trouble in ((GUILD, ""), (GUILD, "Discord did not answer"), (NEXT_DOOR, "")):
            run = Run(kind="five-minute", started_at=now, guild_id=guild_id)
            run = replace(run, id=await tx.runs.begin(run), ended_at=now + timedelta(seconds=2))
            await tx.runs.finish(replace(run, looked_at=40, changed=2, trouble=trouble))
        await tx.jobs.mark("member", str(MemberKey(GUILD, FATIMA)), lane=Lane.EVENT, run_at=now, scope="")


async def _fresh_links(world: World) -> Secrets:
    services = world.services
    await shop.start_checkout(services, "vip")
    order = world.provider.orders[-1]
    checkout_id = f"cs_test_cs_{len(world.provider.orders)}"
    await world.buys("vip", by="welcome", checkout_id=checkout_id, link_token=order.link_token)
    for user in (CHARLIE, DORA, EVE):
        proven = Proven(user_id=user, email=f"user{user}@example.com", name=NAMES[user])
        await sign_ins.begin(services, Person.CUSTOMER, proven, "Safari on iPhone")
    verify = await verifying.issue(services, CHARLIE, "@charlie.b", GUILD)
    return Secrets(
        connect=_mailed(world, "connect/"),
        billing=_mailed(world, "billing/"),
        unsubscribe=_mailed(world, "unsubscribe/"),
        verify=verify.rsplit("/", 1)[1],
        first=await first_sign_in.issue(services, None, may_operate=True),
        checkout=checkout_id,
        payer_key=order.success_url.rsplit("key=", 1)[1],
    )


def _mailed(world: World, way: str) -> str:
    """Return the secret at the end of the newest mailed link of a kind."""
    facts = [str(fact) for mail in reversed(world.mailer.sent) for fact in mail.facts.values()]
    return next(fact.rsplit(way, 1)[1] for fact in facts if way in fact)

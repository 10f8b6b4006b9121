"""Customers sign in by mail: nobody learns who bought something, and no code can be guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from membership import codes, mail_sign_in, sign_in_mail
from membership.errors import UserError
from membership.mail_sign_in import CODE_TRIES
from membership.sign_in_mail import Secrets
from tests.usecases.world import VIP, World

MAIL = "charlie@example.com"


@pytest.fixture
async def shop(world: World) -> World:
    """Let Charlie have bought something."""
    await world.plan("vip", VIP)
    await world.buys("vip", by="charlie")
    await world.advance(hours=2)
    return world


async def asked(world: World, address: str = MAIL) -> tuple[str, Secrets]:
    """Ask for a mail; return the browser's key and what the mail would carry."""
    answer = await mail_sign_in.ask(world.services, address)
    async with world.services.store.read() as tx:
        job = (await tx.jobs.claim(world.clock.now(), world.clock.now(), 10, []))[-1]
        secrets = await sign_in_mail.secrets_at(tx, job.key, world.clock.now())
    assert secrets is not None
    return answer.key, secrets


async def queued(world: World) -> list[str]:
    """Return the templates of the messages in the outbox, sent or not."""
    async with world.database.read() as tx:
        rows = await tx.connection.exec_driver_sql("select template from outbox_messages where kind = 'mail'")
        return [row[0] for row in rows]


async def test_an_address_with_a_purchase_gets_one_mail(shop: World) -> None:
    await mail_sign_in.ask(shop.services, " Charlie@Example.com ")
    await shop.settle()

    assert (await queued(shop)).count("signin") == 1


async def test_an_unknown_address_gets_the_same_answer_and_no_mail(shop: World) -> None:
    known = await mail_sign_in.ask(shop.services, MAIL)
    unknown = await mail_sign_in.ask(shop.services, "nobody@example.com")
    await shop.settle()

    assert replace(unknown, key="") == replace(known, key="")
    assert len(unknown.key) == len(known.key)
    assert (await queued(shop)).count("signin") == 1


async def test_asking_touches_the_same_tables_whoever_is_asked_for(shop: World) -> None:
    before = await sizes(shop)
    await mail_sign_in.ask(shop.services, MAIL)
    known = await sizes(shop)
    await mail_sign_in.ask(shop.services, "nobody@example.com")
    unknown = await sizes(shop)

    assert [now - then for now, then in zip(known, before, strict=True)] == [
        now - then for now, then in zip(unknown, known, strict=True)
    ]


async def sizes(world: World) -> list[int]:
    async with world.database.read() as tx:
        tables = ("sessions", "jobs", "outbox_messages", "audit_entries", "deliveries")
        counts = [await tx.connection.exec_driver_sql(f"select count(*) from {table}") for table in tables]
        return [count.scalar_one() for count in counts]


async def test_the_code_proves_the_address_once_in_the_browser_that_asked(shop: World) -> None:
    key, secrets = await asked(shop)

    assert (await mail_sign_in.enter_code(shop.services, "another browser", secrets.code)).email == ""
    assert (await mail_sign_in.enter_code(shop.services, key, sign_in_mail.spelled(secrets.code))).email == MAIL
    assert (await mail_sign_in.enter_code(shop.services, key, secrets.code)).email == ""


async def test_the_fifth_wrong_code_makes_the_right_one_void(shop: World) -> None:
    key, secrets = await asked(shop)
    wrong = "000000" if secrets.code != "000000" else "111111"

    left = [(await mail_sign_in.enter_code(shop.services, key, wrong)).tries_left for _ in range(CODE_TRIES)]

    assert left == [4, 3, 2, 1, 0]
    assert (await mail_sign_in.enter_code(shop.services, key, secrets.code)).email == ""


async def test_wrong_codes_do_not_make_a_code_live_longer(shop: World) -> None:
    key, secrets = await asked(shop)
    shop.clock.move(timedelta(minutes=9))
    await mail_sign_in.enter_code(shop.services, key, "")
    shop.clock.move(timedelta(minutes=2))

    assert (await mail_sign_in.enter_code(shop.services, key, secrets.code)).email == ""


async def test_looking_at_a_link_spends_nothing_and_using_it_spends_link_and_code(shop: World) -> None:
    key, secrets = await asked(shop)

    assert [await mail_sign_in.look_at_link(shop.services, secrets.token) for _ in range(3)] == [MAIL] * 3
    assert await mail_sign_in.use_link(shop.services, secrets.token) == MAIL
    assert await mail_sign_in.use_link(shop.services, secrets.token) == ""
    assert (await mail_sign_in.enter_code(shop.services, key, secrets.code)).email == ""


async def test_the_code_spends_the_link(shop: World) -> None:
    key, secrets = await asked(shop)
    await mail_sign_in.enter_code(shop.services, key, secrets.code)

    assert await mail_sign_in.use_link(shop.services, secrets.token) == ""


async def test_a_link_is_no_good_after_ten_minutes(shop: World) -> None:
    _, secrets = await asked(shop)
    shop.clock.move(timedelta(minutes=10))

    assert await mail_sign_in.look_at_link(shop.services, secrets.token) == ""
    assert await mail_sign_in.use_link(shop.services, secrets.token) == ""


@pytest.mark.parametrize("address", [MAIL, "nobody@example.com"])
async def test_nobody_can_flood_a_mailbox(shop: World, address: str) -> None:
    answers = [await mail_sign_in.ask(shop.services, address) for _ in range(5)]

    assert [answer.wait_until is None for answer in answers] == [True, True, True, False, False]
    assert answers[-1].wait_until == shop.clock.now() + timedelta(hours=1)


@pytest.mark.parametrize("typed", ["", "ada", "ada@", "@example.com", "a b@example.com", "a@b", "x" * 300 + "@a.de"])
async def test_what_is_no_address_is_refused_before_anything_is_kept(world: World, typed: str) -> None:
    before = await sizes(world)
    with pytest.raises(UserError):
        await mail_sign_in.ask(world.services, typed)

    assert await sizes(world) == before


async def test_no_secret_stands_in_the_database_in_clear(shop: World) -> None:
    key, secrets = await asked(shop)
    async with shop.database.read() as tx:
        found = []
        for table in ("sessions", "jobs", "outbox_messages", "audit_entries"):
            rows = await tx.connection.exec_driver_sql(f"select * from {table}")
            found += [str(value) for row in rows for value in row]
    text = "\n".join(found)

    for secret in (key, secrets.token, codes.digest(secrets.code), f'"{secrets.code}"'):
        assert secret not in text


async def test_the_mail_carries_the_code_and_the_link_and_serves(shop: World) -> None:
    answer = await mail_sign_in.ask(shop.services, MAIL)
    await shop.settle()
    mail = shop.mailer.sent[-1]

    assert (mail.to, mail.template) == (MAIL, "signin")
    token = str(mail.facts["link"]).rpartition("/sign-in/")[2]
    assert await mail_sign_in.look_at_link(shop.services, token) == MAIL
    assert (await mail_sign_in.enter_code(shop.services, answer.key, str(mail.facts["code"]))).email == MAIL


async def test_a_mail_that_would_come_too_late_is_not_sent(shop: World) -> None:
    sent = len(shop.mailer.sent)
    await mail_sign_in.ask(shop.services, MAIL)
    await shop.advance(minutes=11)

    assert len(shop.mailer.sent) == sent

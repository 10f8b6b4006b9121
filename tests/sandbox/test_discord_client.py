"""A person's client against a real discord.py bot: everything that can be shown, typed, picked, filled in, forged."""

from __future__ import annotations

from collections.abc import AsyncIterator

import discord
import pytest

from sandbox.discord.client import Client
from sandbox.discord.component_rules import BUTTON, CHANNEL_SELECT
from sandbox.discord.files import Upload
from sandbox.discord.permissions import Permission
from tests.sandbox import discord_contract
from tests.sandbox.card_bot import PNG, with_commands
from tests.sandbox.discord_stage import Stage, a_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as opened:
        bot = await opened.bot(setup=with_commands)
        await bot.tree.sync()
        opened.local.records.keeps_exchanges = True
        staff = next(role for role in opened.guild.roles.values() if role.name == "Staff")
        opened.local.people.set_permissions(opened.guild, staff, Permission.MANAGE_ROLES, by=opened.alice)
        yield opened
        discord_contract.check(opened.local.records.exchanges)


def client(stage: Stage, name: str = "charlie") -> Client:
    return stage.local.client(getattr(stage, name), stage.channel)


async def test_a_card_is_read_as_text_and_controls(stage: Stage) -> None:
    card = await client(stage).types("card")
    assert card.is_private
    assert card.text == "## Plan 1\nRole @VIP\nA picture"
    assert card.labels == [
        *("More", "Edit", "Docs", "Products", "door:user", "door:role", "door:anyone", "door:channel"),
    ]
    assert card.control("Docs").url == "https://example.com/docs"
    assert card.control("Products").choices == (("p:VIP", "VIP"), ("p:Pass", "Pass"))
    assert card.control("Products").values == ("p:VIP",)


async def test_a_press_edits_the_card_in_place(stage: Stage) -> None:
    card = await client(stage).types("card")
    again = await card.press("More")
    assert again.message is card.message
    assert card.text.startswith("## Plan 2")
    assert [each["filename"] for each in card.message.attachments] == ["report.png", "members.csv"]


async def test_the_files_of_a_card_can_be_downloaded(stage: Stage) -> None:
    picture, table = (await client(stage).types("card")).message.attachments
    assert (picture["description"], picture["width"], picture["height"]) == ("A chart: 12 members", 120, 80)
    async with stage.http.get(table["url"]) as answer:
        assert (await answer.read(), answer.headers["Content-Disposition"]) == (b"id,mail\n1,a", "attachment")
    async with stage.http.get(picture["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (PNG, "image/png")


@pytest.mark.parametrize(
    ("select", "picked", "resolved"),
    [
        ("Products", ["VIP", "Pass"], "door:product ['p:VIP', 'p:Pass'] []"),
        ("Products", [], "door:product [] []"),
        ("door:user", ["charlie"], "['members', 'users']"),
        ("door:role", ["vip"], "['roles']"),
        ("door:anyone", ["vip", "charlie"], "['members', 'roles', 'users']"),
        ("door:channel", ["channel"], "['channels']"),
    ],
)
async def test_every_kind_of_select(stage: Stage, select: str, picked: list[str], resolved: str) -> None:
    card = await client(stage).types("card")
    values = [getattr(stage, name).id if hasattr(stage, name) else name for name in picked]
    assert resolved in (await card.pick(select, *values)).text


async def test_it_picks_only_what_is_offered(stage: Stage) -> None:
    card = await client(stage).types("card")
    with pytest.raises(ValueError, match="does not offer 'p:gone'"):
        await card.pick("Products", "p:gone")
    with pytest.raises(ValueError, match="takes 1 to 1"):
        await card.pick("door:user")
    with pytest.raises(LookupError, match="no enabled component 'door:never'"):
        await card.press("Never")
    with pytest.raises(LookupError, match="there is no 'Delete'"):
        await card.press("Delete")


async def test_a_forged_click_and_a_forged_choice_reach_the_bot(stage: Stage) -> None:
    card = await client(stage).types("card")
    assert (await card.forge("door:delete:9")).text.startswith("door:delete:9 None")
    assert (await card.forge("door:product", "p:gone", kind=3)).text.startswith("door:product ['p:gone']")
    assert "door:role ['1'] []" in (await card.forge("door:role", "1", kind=6, by=stage.bob)).text


async def test_a_form_is_filled_in_by_label_and_edits_its_message(stage: Stage) -> None:
    card = await client(stage).types("card")
    form = await card.press("Edit")
    assert form.text.startswith("Plan\nWhat is sold?\nName\nRoles\nWhen it ends\n")
    done = await form.submit({"Name": "Gold", "When it ends": "keep"}, roles=[stage.vip.id])
    assert done.text.endswith(f"{{'name': 'Gold', 'roles': ['{stage.vip.id}'], 'end': 'keep', 'file': []}}")
    assert card.text.startswith("## Plan 100")


async def test_a_form_keeps_its_defaults(stage: Stage) -> None:
    form = await (await client(stage).types("card")).forge("door:edit:8")
    done = await form.submit(note="hello")
    assert done.text.endswith("{'days': ['mon'], 'tell': True, 'who': [], 'where': [], 'note': 'hello'}")


async def test_a_form_refuses_what_its_client_would(stage: Stage) -> None:
    form = await (await client(stage).types("card")).press("Edit")
    with pytest.raises(ValueError, match="'name' is too short or too long"):
        await form.submit(name="a" * 41)
    with pytest.raises(ValueError, match="'name' is required"):
        await form.submit(name="")
    with pytest.raises(ValueError, match="'end' does not offer 'kick'"):
        await form.submit(end="kick")
    with pytest.raises(LookupError, match="there is no 'price'"):
        await form.submit(price="9")
    assert "'end': 'kick'" in (await form.forge_form({"end": "kick"})).text


async def test_a_file_goes_into_a_form(stage: Stage) -> None:
    form = await (await client(stage).types("card")).press("Edit")
    done = await form.submit(file=Upload(filename="a.csv", content=b"a"))
    assert "'file': ['" in done.text


async def test_a_form_nobody_offered_is_forged(stage: Stage) -> None:
    shown = await client(stage).forges_form("door:form:9", name="x")
    assert shown.text.startswith("door:form:9")


async def test_every_kind_of_option(stage: Stage) -> None:
    stage.bob.locale, stage.guild.preferred_locale = "it", "de"
    shown = await client(stage, "bob").types(
        "many",
        who=stage.charlie.id,
        days=3,
        mode="fast",
        anyone=stage.vip.id,
        where=stage.channel.id,
        loud=True,
        file=Upload(filename="list.csv", content=b"a,b"),
    )
    assert shown.text == "charlie 3 fast VIP get-access True a,b it de"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"days": 31}, "takes a number from 1 to 30"),
        ({"days": "3"}, "takes a number"),
        ({"mode": "slow"}, "takes one of fast"),
        ({"loud": "yes"}, "takes true or false"),
        ({"file": "a.csv"}, "takes a file"),
    ],
)
async def test_a_value_that_does_not_fit_is_not_sent(stage: Stage, change: dict[str, str | int], told: str) -> None:
    options: dict[str, str | int] = {"who": stage.charlie.id, "days": 3, "mode": "fast", **change}
    with pytest.raises(ValueError, match=told):
        await client(stage, "bob").types("many", **options)


async def test_an_option_that_is_missing_or_unknown_is_named(stage: Stage) -> None:
    with pytest.raises(LookupError, match="'days' is required"):
        await client(stage, "bob").types("many", who=stage.charlie.id, mode="fast")
    with pytest.raises(LookupError, match="no option 'price'"):
        await client(stage, "bob").types("many", who=stage.charlie.id, days=1, mode="fast", price=1)


async def test_a_command_is_offered_to_whoever_has_its_permission(stage: Stage) -> None:
    assert [each.name for each in client(stage, "bob").offers()] == ["card", "find", "many"]
    assert [each.name for each in client(stage).offers()] == ["card", "find"]
    with pytest.raises(PermissionError):
        await client(stage).types("many", who=stage.charlie.id, days=1, mode="fast")
    forged = await client(stage).forges("many", who=stage.charlie.id, days=1, mode="fast")
    assert forged.text.startswith("charlie 1 fast")


async def test_a_context_menu_names_the_member(stage: Stage) -> None:
    shown = await client(stage, "bob").opens_menu("Membership", stage.bob)
    assert shown.text == "bob in 2"


async def test_a_click_carries_the_permissions_of_whoever_clicks(stage: Stage) -> None:
    card = await client(stage).types("card")
    assert (await card.pick("door:role", stage.vip.id)).text.endswith("False")
    assert (await card.pick("door:role", stage.vip.id, by=stage.bob)).text.endswith("True")


async def test_a_button_in_a_direct_message(stage: Stage) -> None:
    bot = next(iter(stage.bots))
    assert not bot.done()
    dm = stage.local.world.dm_with(stage.charlie)
    body = {"content": "Hi", "components": [{"type": 1, "components": [
        {"type": BUTTON, "style": 4, "label": "Stop", "custom_id": "door:stop"}]}]}  # fmt: skip
    await stage.api("POST", f"/channels/{dm.id}/messages", body)
    seen = stage.local.client(stage.charlie, dm).sees(stage.local.direct_messages(stage.charlie)[-1])
    assert (await seen.press("Stop")).text.startswith("door:stop")


def test_channel_selects_have_their_own_number() -> None:
    assert discord.ComponentType.channel_select.value == CHANNEL_SELECT

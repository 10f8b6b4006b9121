"""The page's server pane over a real bot: commands, options, suggestions, cards, selects, forms, menus, files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest

from tests.sandbox.card_bot import Italian, with_commands
from tests.sandbox.discord_stage import addresses, start_bot
from tests.sandbox.page_stage import PageStage, page_stage
from tests.sandbox.test_page import flash, pane

LARGEST_PAGE = 60_000


@pytest.fixture
async def page() -> AsyncIterator[PageStage]:
    async with page_stage() as stage, addresses(stage.world.discord_site_url):
        bot, task = await start_bot(stage.world.discord.portal.token, with_commands)
        await bot.tree.set_translator(Italian())
        await bot.tree.sync()
        yield stage
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def server(html: str) -> str:
    return pane(html, "discord")


def hidden(html: str, label: str) -> dict[str, str]:
    """Return what the form of a button or select sends along."""
    forms = re.findall(r"<form.*?</form>", server(html), re.DOTALL)
    form = next(each for each in forms if re.search(rf">\s*{re.escape(label)}\s*<", each))
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


async def a_card(page: PageStage, person: str = "ben") -> str:
    await page.html(f"?as={person}")
    return await page.press("say", text="/card")


async def test_a_card_is_drawn_with_everything_on_it(page: PageStage) -> None:
    html = server(await a_card(page))
    assert "Only Ben can see this" in html
    assert '<p class="md-h2">Plan 1</p>' in html
    assert 'fill="#3b46c4"' in html
    assert re.search(r'<img src="/_emu/discord/attachments/\d+/\d+/report.png" alt="12 members">', html)
    assert re.search(r'href="/_emu/discord/attachments/\d+/\d+/members.csv" download', html)
    assert 'href="https://example.com/docs"' in html
    assert re.search(r"disabled>Never<", html)
    assert re.search(r'value="p:VIP" checked', html)
    assert "#get-access</option>" in html
    assert html.count('name="values"') > 20


async def test_a_press_changes_the_card_in_place(page: PageStage) -> None:
    html = await a_card(page)
    html = await page.press("press", **hidden(html, "More"))
    assert "ok: The bot changed its message." in flash(html)
    assert "Plan 2" in server(html)
    assert "Plan 1" not in server(html)
    assert server(html).count("Only Ben can see this") == 1


async def test_nobody_else_sees_or_presses_a_private_answer(page: PageStage) -> None:
    fields = hidden(await a_card(page), "More")
    assert "Plan 1" not in server(await page.html("?as=kim"))
    assert "bad: That message is gone." in flash(await page.press("press", **fields))


async def test_a_private_answer_can_be_dismissed(page: PageStage) -> None:
    html = await a_card(page)
    html = await page.press("dismiss", message=hidden(html, "More")["message"])
    assert "Only Ben can see this" not in html


async def test_several_lines_of_a_select_are_chosen(page: PageStage) -> None:
    html = await a_card(page)
    form = aiohttp.FormData([*hidden(html, "VIP").items(), ("values", "p:VIP"), ("values", "p:Pass")])
    url, headers = f"{page.world.url}/sandbox/do/press", {"Sec-Fetch-Site": "same-origin"}
    async with page.http.post(url, data=form, headers=headers) as answer:
        html = await answer.text()
    assert "door:product [&#39;p:VIP&#39;, &#39;p:Pass&#39;]" in html


async def test_a_form_is_filled_in_and_sent(page: PageStage) -> None:
    html = await page.press("press", **hidden(await a_card(page), "Edit"))
    assert "opened a form for Ben" in flash(html)
    assert '<h3 class="sheet-title">Plan</h3>' in html
    assert re.search(r'name="f.name" value="VIP" maxlength="40"', html)
    assert re.search(r'type="radio"[^>]*name="f.end" value="remove" checked', html)
    supporter = str(page.world.seed.server.supporter.id)
    html = await page.press("submit", **{"f.name": "Gold", "f.end": "keep", "f.roles": supporter})
    assert f"{{'name': 'Gold', 'roles': ['{supporter}'], 'end': 'keep'" in html.replace("&#39;", "'")
    assert "sheet-title" not in html


async def test_a_form_that_is_refused_keeps_what_was_typed(page: PageStage) -> None:
    await page.press("press", **hidden(await a_card(page), "Edit"))
    html = await page.press("submit", **{"f.name": "", "f.end": "keep"})
    assert "bad: &#39;name&#39; is required" in flash(html)
    assert re.search(r'name="f.end" value="keep" checked', html)


async def test_a_form_can_be_closed_and_is_its_persons_own(page: PageStage) -> None:
    await page.press("press", **hidden(await a_card(page), "Edit"))
    assert "sheet-title" not in await page.html("?as=kim")
    assert "sheet-title" in await page.html("?as=ben")
    assert "sheet-title" not in await page.press("close-form")


async def test_a_command_asks_for_its_options(page: PageStage) -> None:
    await page.html("?as=sam")
    html = server(await page.press("say", text="/many"))
    assert '<select id="o-who" name="o.who" required>' in html
    assert re.search(r'type="number" id="o-days"[^>]*min="1" max="30"', html)
    assert '<option value="fast" >Fast</option>' in html
    assert 'type="file" id="o-file"' in html
    ben = str(page.world.seed.cast.ben.id)
    html = await page.press("run", command="many", **{"o.who": ben, "o.days": "3", "o.mode": "fast", "o.loud": "true"})
    assert "ben 3 fast None None True - en-US en-US" in html


async def test_a_wrong_value_is_explained_and_the_command_stays(page: PageStage) -> None:
    await page.html("?as=sam&command=many")
    ben = str(page.world.seed.cast.ben.id)
    html = await page.press("run", command="many", **{"o.who": ben, "o.days": "99", "o.mode": "fast"})
    assert "bad: &#39;days&#39; takes a number from 1 to 30" in flash(html)
    assert 'value="99"' in html
    assert "bad: “days” takes a number." in flash(await page.press("run", command="many", **{"o.days": "x"}))


async def test_a_file_is_sent_with_a_command(page: PageStage) -> None:
    await page.html("?as=sam&command=many")
    form = aiohttp.FormData({"command": "many", "o.who": str(page.world.seed.cast.ben.id), "o.days": "3"})
    form.add_field("o.mode", "fast")
    form.add_field("o.file", b"a,b", filename="list.csv", content_type="text/csv")
    url, headers = f"{page.world.url}/sandbox/do/run", {"Sec-Fetch-Site": "same-origin"}
    async with page.http.post(url, data=form, headers=headers) as answer:
        assert "ben 3 fast None None False a,b" in await answer.text()


async def test_suggestions_come_by_button_and_live(page: PageStage) -> None:
    await page.html("?as=ben&command=find")
    html = server(await page.press("run", command="find", suggest="plan", **{"o.plan": "Go"}))
    assert 'name="o.plan" value="Go"' in html
    assert '<option value="Go monthly">' in html
    headers = {"Sec-Fetch-Site": "same-origin"}
    fields = {"command": "find", "suggest": "plan", "o.plan": "V"}
    async with page.http.post(f"{page.world.url}/sandbox/suggestions", data=fields, headers=headers) as answer:
        assert await answer.text() == '<option value="V monthly"><option value="V yearly">'
    assert "found id:yearly" in await page.press("run", command="find", **{"o.plan": "V yearly"})


async def test_a_typed_line_can_name_its_options(page: PageStage) -> None:
    await page.html("?as=ben")
    assert "found VIP gold" in await page.press("say", text="/find plan:VIP gold")
    assert "found 9" in await page.press("say", text="/find 9")


async def test_the_picker_lists_what_a_person_is_offered(page: PageStage) -> None:
    assert "?command=many" not in server(await page.html("?as=ben"))
    assert "?command=many" in server(await page.html("?as=sam"))
    assert "?command=many" in server(await page.html("?as=olga"))
    assert flash(await page.html("?as=ben&command=many")) == "bad: Ben is not offered /many."
    assert "Ben is not offered /many" in flash(await page.press("say", text="/many"))


async def test_a_member_has_a_menu(page: PageStage) -> None:
    html = server(await page.html("?as=sam"))
    assert re.search(r'name="command" value="Membership">Membership</button>', html)
    kim = str(page.world.seed.cast.kim.id)
    assert "kim in 1" in server(await page.press("menu", command="Membership", target=kim))


async def test_everybody_has_a_language(page: PageStage) -> None:
    await page.html("?as=sam")
    html = server(await page.press("language", language="it"))
    assert re.search(r'value="it" aria-pressed="true"', html)
    assert "?command=cerca" not in html
    assert "/cerca</strong>" in html
    assert "found 7" in await page.press("say", text="/cerca 7")
    assert "/find</strong>" in server(await page.html("?as=ben"))


async def test_nora_sees_her_own_server(page: PageStage) -> None:
    html = server(await page.html("?as=nora"))
    assert "Next Door, as Nora" in html
    assert "#lobby" in html
    assert "get-access" not in html
    assert "in #lobby; nobody else sees it" in flash(await page.press("say", text="/card"))


async def test_a_full_page_stays_small_and_labels_every_field(page: PageStage) -> None:
    html = await a_card(page, "sam")
    await page.press("press", **hidden(html, "Edit"))
    html = await page.html()
    labels = set(re.findall(r'<label[^>]* for="([^"]+)"', html))
    fields = re.findall(r"<(?:input|select|textarea)(?![^>]*type=\"hidden\")[^>]*>", html)
    assert len(html.encode()) < LARGEST_PAGE
    assert [each for each in fields if re.search(r'id="([^"]+)"', each)[1] not in labels] == []  # type: ignore[index]
    assert " style=" not in html


async def test_hostile_text_of_a_card_is_text(page: PageStage) -> None:
    await page.html("?as=ben")
    html = await page.press(
        "say", text="/find <img src=x onerror=alert(1)> [a](javascript:alert(1)) [b](https://b.example)"
    )
    assert "<img src=x" not in html
    assert 'href="javascript' not in html
    assert '<a href="https://b.example" rel="noreferrer">b</a>' in html


async def test_a_button_in_a_direct_message_is_pressed(page: PageStage) -> None:
    world = page.world.discord
    dm = world.world.dm_with(page.world.seed.cast.ben)
    row = {"type": 1, "components": [{"type": 2, "style": 4, "label": "Stop", "custom_id": "door:stop"}]}
    url = f"{page.world.discord_api_url}/channels/{dm.id}/messages"
    headers = {"Authorization": f"Bot {world.portal.token}"}
    async with page.http.post(url, json={"content": "Hi **Ben**", "components": [row]}, headers=headers) as answer:
        assert answer.status == 200
    assert 'class="news"' in server(await page.html("?as=ben"))
    html = await page.html("?channel=direct")
    assert 'class="news"' not in server(html)
    assert "Hi <strong>Ben</strong>" in server(html)
    assert "door:stop" in server(await page.press("press", **hidden(html, "Stop")))


async def test_a_command_closes_the_form_that_was_open(page: PageStage) -> None:
    await page.press("press", **hidden(await a_card(page), "Edit"))
    assert "sheet-title" not in await page.press("say", text="/find 9")

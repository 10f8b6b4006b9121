"""Drives the sandbox page in a real browser by the words that are read there: people, commands, buttons, fields.

    driver = PageDriver(page, world.url)
    await driver.as_person("olga")                 ada ben kim, the owner, sam of the staff, nora from next door
    await driver.type_command("plan create", name="VIP", role="VIP")
    await driver.press("Edit")                     on the newest message that has it
    await driver.pick("Products", "VIP")
    await driver.fill_form({"Name": "Gold", "Roles": ["VIP"], "When it ends": "Keep it"})
    assert "Gold" in await driver.answer_text()

Every verb waits until the page shows what came of it. It works the same without script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playwright.async_api import FilePayload, Locator, Page, expect

from tests.browser.tabs import PATIENCE_MILLISECONDS

FieldValue = str | bool | Sequence[str] | FilePayload


@dataclass(frozen=True, slots=True)
class PageDriver:
    """One browser tab on the sandbox page."""

    page: Page
    url: str

    async def as_person(self, name: str) -> None:
        """Be somebody else."""
        await self.page.goto(f"{self.url}/sandbox?as={name}")

    async def open_channel(self, name: str) -> None:
        """Look at another channel; "direct" is the bot's direct messages."""
        await self.page.goto(f"{self.url}/sandbox?channel={name}")

    async def speak(self, language: str) -> None:
        """Choose the language of the person's Discord by its own name."""
        await self._click(self.page.get_by_role("button", name=language, exact=True))

    async def say(self, text: str) -> None:
        """Write a line as it is."""
        await self.page.locator("#message").fill(text)
        await self._click(self.page.locator(".write button"))

    async def type_command(self, name: str, /, **options: FieldValue) -> None:
        """Type a slash command and send it with its options; lists by what is read in them, texts as they are."""
        await self.say(f"/{name}")
        sheet = self.page.locator(".sheet[aria-label^='Command:']")
        if not await sheet.count():
            return
        for option, value in options.items():
            field = sheet.locator(f"[id='o-{option}']")
            if await field.get_attribute("data-suggest") and isinstance(value, str):
                found = await self.suggestions(option, value)
                value = next((each for each in found if each.startswith(value)), value)  # noqa: PLW2901
            await _fill(field, value)
        await self._click(sheet.locator(".primary"))

    async def suggestions(self, option: str, typed: str = "") -> list[str]:
        """Type into an option of the open command and return what the bot suggests."""
        await self.page.locator(f"[id='o-{option}']").fill(typed)
        await self._click(self.page.locator(f".sheet button[name=suggest][value='{option}']"))
        listed = self.page.locator(f"[id='o-{option}-list'] option")
        return [str(await each.get_attribute("value")) for each in await listed.all()]

    async def commands(self) -> list[str]:
        """Return the commands that the picker lists, with their slashes."""
        return await self.page.locator(".commands strong").all_text_contents()

    async def press(self, label: str) -> None:
        """Press the newest button of a message that is called so."""
        await self._click(self.page.locator(".messages").get_by_role("button", name=label, exact=True).last)

    async def link(self, label: str) -> str:
        """Return where the newest link button of a message leads."""
        found = self.page.locator(".messages a.button").filter(has_text=label).last
        return str(await found.get_attribute("href"))

    async def pick(self, label: str, *choices: str) -> None:
        """Choose lines, by what is read on them, in the newest select that says `label` while it is empty."""
        button = self.page.get_by_role("button", name=f"Choose: {label}", exact=True)
        form = self.page.locator(".messages form.select").filter(has=button).last
        if await form.locator("select").count():
            await _choose(form.locator("select"), choices[0])
        else:
            await form.locator("summary").click()
            await _check(form, choices)
        await self._click(form.get_by_role("button", name=f"Choose: {label}", exact=True))

    async def fill_form(self, values: Mapping[str, FieldValue]) -> None:
        """Fill in the form that the bot opened, by label, and send it."""
        sheet = self.page.locator(".sheet[aria-label^='Form:']")
        for label, value in values.items():
            exact = re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$")
            legend = sheet.locator("legend").filter(has_text=exact)
            if await legend.count():
                group = sheet.locator("fieldset").filter(has=self.page.locator("legend").filter(has_text=exact))
                await _check(group, [value] if isinstance(value, str) else list(_texts(value)))
            else:
                found = sheet.locator("label").filter(has_text=re.compile(rf"^\s*{re.escape(label)}"))
                await _fill(sheet.locator(f"[id='{await found.first.get_attribute('for')}']"), value)
        await self._click(sheet.locator(".primary"))

    async def form_title(self) -> str:
        """Return the title of the open form, "" when none is open."""
        title = self.page.locator(".sheet[aria-label^='Form:'] .sheet-title")
        return await title.inner_text() if await title.count() else ""

    async def open_menu(self, person: str, command: str) -> None:
        """Right-click a member and choose a User command."""
        row = self.page.locator(".members li").filter(has=self.page.get_by_text(person, exact=True))
        await row.locator(".menu summary").click()
        await self._click(row.get_by_role("button", name=command, exact=True))

    async def answer_text(self) -> str:
        """Return everything that is read on the newest answer that only this person sees, else the newest message."""
        private = self.page.locator(".messages li.is-private")
        newest = private.last if await private.count() else self.page.locator(".messages > li").last
        return await newest.inner_text()

    async def flash_text(self) -> str:
        """Return what the page said about the last thing that was done."""
        flash = self.page.locator(".flash")
        return (await flash.inner_text()).strip() if await flash.count() else ""

    async def _click(self, button: Locator) -> None:
        await button.click()
        # Not the button's own mark: a button that the page drew anew meanwhile has none.
        await expect(self.page.locator("html[data-sending]")).to_have_count(0, timeout=PATIENCE_MILLISECONDS)


async def _fill(field: Locator, value: FieldValue) -> None:
    kind = await field.evaluate("each => each.tagName === 'SELECT' ? 'list' : each.type")
    if kind == "list":
        await _choose(field, value if isinstance(value, str) else str(value))
    elif kind == "checkbox":
        await field.set_checked(bool(value))
    elif kind == "file":
        await field.set_input_files(value)  # type: ignore[arg-type]
    else:
        await field.fill(str(value))


async def _choose(field: Locator, text: str) -> None:
    """Choose the line that says `text`, with or without an @ or # before it or a detail behind."""
    lines = await field.locator("option").all_text_contents()
    wanted = re.compile(rf"^[@#]?{re.escape(text.lstrip('@#'))}(?: · .*)?$")
    found = next((line for line in lines if wanted.match(line)), None)
    assert found is not None, f"there is no {text!r}; there are {', '.join(lines)}"
    await field.select_option(label=found)


async def _check(group: Locator, choices: Sequence[str]) -> None:
    """Check exactly these lines of a group of boxes, or the one radio button."""
    for box in await group.locator("input[type=checkbox]").all():
        await box.uncheck()
    for choice in choices:
        wanted = re.compile(rf"^\s*[@#]?{re.escape(choice.lstrip('@#'))}")
        await group.locator("label").filter(has_text=wanted).first.locator("input").check()


def _texts(value: FieldValue) -> Sequence[str]:
    assert isinstance(value, list | tuple), f"{value!r} is no list of lines"
    return value

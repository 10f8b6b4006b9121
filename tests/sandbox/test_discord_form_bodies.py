"""What Discord refuses with "Invalid Form Body": messages, Components V2, forms, commands, suggestions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.discord.interactions import AUTOCOMPLETE, COMMAND
from tests.sandbox.discord_stage import Stage, a_stage

V2 = 1 << 15


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as opened:
        yield opened


def text(content: str) -> dict[str, Any]:
    return {"type": 10, "content": content}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def button(custom_id: str = "a", **given: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "A", "custom_id": custom_id} | given


def select(count: int, **given: Any) -> dict[str, Any]:
    options = [{"label": f"L{number}", "value": f"v{number}"} for number in range(count)]
    return {"type": 3, "custom_id": "s", "options": options} | given


def label(component: dict[str, Any]) -> dict[str, Any]:
    return {"type": 18, "label": "L", "component": component}


def text_input(**given: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": "t", "style": 1} | given


def codes(errors: Any, path: tuple[str, ...] = ()) -> set[str]:
    """Return every complaint of a nested error body as "place: code"."""
    found = {f"{'.'.join(path)}: {each['code']}" for each in errors.get("_errors", ())}
    for key, inner in errors.items():
        if key != "_errors":
            found |= codes(inner, (*path, key))
    return found


BAD_MESSAGES: list[tuple[str, dict[str, Any], str]] = [
    ("content with V2", {"content": "a", "components": [text("a")], "flags": V2}, "content: MESSAGE_CANNOT_USE_LEGACY"),
    ("embeds with V2", {"embeds": [{}], "components": [text("a")], "flags": V2}, "embeds: MESSAGE_CANNOT_USE_LEGACY"),
    ("V2 components without the flag", {"components": [text("a")]}, "components.0.type: UNION_TYPE_CHOICES"),
    ("too many components", {"components": [text("a")] * 41, "flags": V2}, "components: COMPONENT_MAX_TOTAL"),
    ("too much text", {"components": [text("a" * 2001)] * 2, "flags": V2}, "components: COMPONENT_DISPLAYABLE_TEXT"),
    ("a long custom_id", {"components": [row(button("a" * 101))]}, "components.0.components.0.custom_id: BASE_TYPE_"),
    ("a custom_id twice", {"components": [row(button("a")), row(button("a"))]}, "components: COMPONENT_CUSTOM_ID_DUP"),
    ("a long label", {"components": [row(button(label="a" * 81))]}, "components.0.components.0.label: BASE_TYPE_MAX"),
    ("a button without label", {"components": [row(button(label=None))]}, "0.components.0.label: BASE_TYPE_REQUIRED"),
    ("a link without url", {"components": [row({"type": 2, "style": 5, "label": "x"})]}, "url: BASE_TYPE_REQUIRED"),
    (
        "a script as link",
        {"components": [row({"type": 2, "style": 5, "label": "x", "url": "javascript:alert(1)"})]},
        "url: URL_TYPE_INVALID_SCHEME",
    ),
    ("an unknown style", {"components": [row(button(style=9))]}, "style: NUMBER_TYPE_MAX"),
    ("26 options", {"components": [row(select(26))]}, "components.0.components.0.options: BASE_TYPE_"),
    ("an empty select", {"components": [row(select(0))]}, "components.0.components.0.options: BASE_TYPE_BAD_LENGTH"),
    (
        "an option twice",
        {"components": [row({"type": 3, "custom_id": "s", "options": [{"label": "a", "value": "a"}] * 2})]},
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
    ("more to pick than there is", {"components": [row(select(2, max_values=3))]}, "max_values: NUMBER_TYPE_MAX"),
    ("an empty row", {"components": [row()]}, "components.0.components: BASE_TYPE_BAD_LENGTH"),
    ("a row of six", {"components": [row(*(button(str(n)) for n in range(6)))]}, "components.0.components: BASE_TYPE_"),
    ("a select beside a button", {"components": [row(select(1), button())]}, "components: COMPONENT_LAYOUT_WIDTH"),
    ("six rows", {"components": [row(button(str(n))) for n in range(6)]}, "components: BASE_TYPE_MAX_LENGTH"),
    ("an unknown kind", {"components": [{"type": 99}], "flags": V2}, "components.0.type: UNION_TYPE_CHOICES"),
    ("a section without accessory", {"components": [{"type": 9, "components": [text("a")]}], "flags": V2}, "accessory"),
    ("a container in a container", {
        "components": [{"type": 17, "components": [{"type": 17, "components": [text("a")]}]}], "flags": V2,
    }, "components.0.components.0.type: UNION_TYPE_CHOICES"),
    ("a file that was not sent", {
        "components": [{"type": 13, "file": {"url": "attachment://a.txt"}}], "flags": V2,
    }, "components.0: UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"),
    ("long content", {"content": "a" * 2001}, "content: BASE_TYPE_MAX_LENGTH"),
    ("a long embed", {"embeds": [{"description": "a" * 4097}]}, "embeds.0.description: BASE_TYPE_MAX_LENGTH"),
    ("long embeds", {"embeds": [{"description": "a" * 4000, "footer": {"text": "a" * 2001}}]}, "MAX_EMBED_SIZE"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), [each[1:] for each in BAD_MESSAGES], ids=[each[0] for each in BAD_MESSAGES])
async def test_it_refuses_a_message(stage: Stage, body: dict[str, Any], told: str) -> None:
    status, answer = await stage.api("POST", f"/channels/{stage.channel.id}/messages", body)
    assert (status, answer["code"]) == (400, 50035)
    assert any(told in each for each in codes(answer["errors"])), codes(answer["errors"])
    assert stage.local.messages(stage.channel) == []


BAD_FORMS: list[tuple[str, dict[str, Any], str]] = [
    ("six fields", {"components": [label(text_input(custom_id=str(n))) for n in range(6)]}, "components: BASE_TYPE"),
    ("no field", {"components": []}, "components: BASE_TYPE_BAD_LENGTH"),
    ("a long title", {"title": "a" * 46}, "title: BASE_TYPE_"),
    ("a long label", {"components": [label(text_input()) | {"label": "a" * 46}]}, "components.0.label: BASE_TYPE_"),
    ("a button", {"components": [row(button())]}, "components.0.components.0.type: UNION_TYPE_CHOICES"),
    ("a select that is off", {"components": [label(select(1, disabled=True))]}, "disabled: COMPONENT_DISABLED"),
    ("a default that is too long", {"components": [label(text_input(max_length=2, value="abc"))]}, "value: BASE_TYPE_"),
    ("a range upside down", {"components": [label(text_input(max_length=2, min_length=3))]}, "min_length: NUMBER_TYPE"),
    ("a long text", {"components": [label(text_input(max_length=4001))]}, "max_length: NUMBER_TYPE_MAX"),
    ("one radio button", {
        "components": [label({"type": 21, "custom_id": "r", "options": [{"label": "a", "value": "a"}]})],
    }, "options: BASE_TYPE_BAD_LENGTH"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), [each[1:] for each in BAD_FORMS], ids=[each[0] for each in BAD_FORMS])
async def test_it_refuses_a_form(stage: Stage, change: dict[str, Any], told: str) -> None:
    asked = stage.local.interactions.open(COMMAND, stage.charlie, stage.channel, {})
    form = {"custom_id": "f", "title": "F", "components": [label(text_input())]} | change
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    status, answer = await stage.api("POST", path, {"type": 9, "data": form})
    assert (status, answer["code"]) == (400, 50035)
    assert any(f"data.{told}" in each or told in each for each in codes(answer["errors"])), codes(answer["errors"])
    assert not asked.is_acknowledged


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ([{"name": str(number), "value": "a"} for number in range(26)], "data.choices: BASE_TYPE_MAX_LENGTH"),
        ([{"name": "a" * 101, "value": "a"}], "data.choices.0.name: BASE_TYPE_"),
        ([{"name": "a", "value": "a" * 101}], "data.choices.0.value: BASE_TYPE_"),
        ([{"name": "", "value": "a"}], "data.choices.0.name: BASE_TYPE_BAD_LENGTH"),
    ],
)
async def test_it_refuses_suggestions(stage: Stage, choices: list[dict[str, str]], told: str) -> None:
    asked = stage.local.interactions.open(AUTOCOMPLETE, stage.charlie, stage.channel, {})
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    status, answer = await stage.api("POST", path, {"type": 8, "data": {"choices": choices}})
    assert status == 400
    assert any(told in each for each in codes(answer["errors"]))


def command(**given: Any) -> dict[str, Any]:
    return {"name": "plan", "description": "Plans", "type": 1} | given


def option(name: str = "a", **given: Any) -> dict[str, Any]:
    return {"name": name, "description": "A", "type": 3} | given


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (command(name="Plan"), "name: APPLICATION_COMMAND_INVALID_NAME"),
        (command(description="a" * 101), "description: BASE_TYPE_"),
        (command(description=""), "description: BASE_TYPE_"),
        (command(description_localizations={"it": "a" * 101}), "description: BASE_TYPE_"),
        (command(options=[option(str(number)) for number in range(26)]), "options: BASE_TYPE_MAX_LENGTH"),
        (command(options=[option(), option()]), "ALREADY_EXISTS"),
        (command(options=[option("a"), option("b", required=True)]), "options.1.required: "),
        (command(options=[option(choices=[{"name": "a", "value": "a"}] * 26)]), "options.0.choices: BASE_TYPE_MAX"),
        (command(options=[option(type=99)]), "options.0.type: BASE_TYPE_CHOICES"),
        ({"name": "Look up", "type": 2, "description": "no"}, "description: APPLICATION_COMMAND_INVALID_DESCRIPTION"),
    ],
)
async def test_it_refuses_a_command(stage: Stage, body: dict[str, Any], told: str) -> None:
    path = f"/applications/{stage.local.portal.application_id}/commands"
    status, answer = await stage.api("POST", path, body)
    assert (status, answer["code"]) == (400, 50035)
    assert any(told in each for each in codes(answer["errors"])), codes(answer["errors"])


async def test_components_v2_cannot_be_taken_back(stage: Stage) -> None:
    path = f"/channels/{stage.channel.id}/messages"
    _, posted = await stage.api("POST", path, {"components": [text("a")], "flags": V2})
    assert (await stage.api("PATCH", f"{path}/{posted['id']}", {"flags": 0}))[1]["code"] == 50035
    assert (await stage.api("PATCH", f"{path}/{posted['id']}", {"content": "a"}))[1]["code"] == 50035
    _, edited = await stage.api("PATCH", f"{path}/{posted['id']}", {"components": [text("b")]})
    assert (edited["flags"], edited["components"][0]["content"]) == (V2, "b")


async def test_a_message_becomes_v2_only_when_its_text_goes(stage: Stage) -> None:
    path = f"/channels/{stage.channel.id}/messages"
    _, posted = await stage.api("POST", path, {"content": "a"})
    change = {"components": [text("b")], "flags": V2}
    assert (await stage.api("PATCH", f"{path}/{posted['id']}", change))[1]["code"] == 50035
    status, edited = await stage.api("PATCH", f"{path}/{posted['id']}", change | {"content": None})
    assert (status, edited["content"], edited["flags"]) == (200, "", V2)


async def test_a_message_of_a_channel_is_never_ephemeral(stage: Stage) -> None:
    _, posted = await stage.api("POST", f"/channels/{stage.channel.id}/messages", {"content": "a", "flags": 64})
    assert posted["flags"] == 0


async def test_a_deferred_answer_carries_only_the_ephemeral_flag(stage: Stage) -> None:
    asked = stage.local.interactions.open(COMMAND, stage.charlie, stage.channel, {})
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    assert (await stage.api("POST", path, {"type": 5, "data": {"flags": 64 | V2, "content": "no"}}))[0] == 204
    assert asked.original is not None
    assert (asked.original.is_ephemeral, asked.original.is_v2, asked.original.content) == (True, False, "")
    original = f"/webhooks/{stage.local.portal.application_id}/{asked.token}/messages/@original"
    status, edited = await stage.api("PATCH", original, {"components": [text("here")], "flags": V2})
    assert (status, edited["flags"]) == (200, V2 | 64)
    assert asked.text == "here"

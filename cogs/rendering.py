"""Draws cards and forms with discord.py, inside Discord's limits: what is too long is cut and says so."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import discord
from discord import ui

from cogs.cards import (
    Attachment,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Download,
    Field,
    Form,
    Line,
    Option,
    Pick,
    Picture,
    Row,
    Shape,
    Text,
    Tone,
    custom_id,
)

MOST_COMPONENTS = 40
MOST_CHARACTERS = 4000
MOST_OPTIONS = 25
BUTTONS_A_ROW = 5
_MORE = "… and {number} more"
_KEPT_FOR_MORE = 60

_COLOURS = {
    Tone.GOOD: 0x2E8B57,
    Tone.BAD: 0xD64545,
    Tone.WARN: 0xE0A020,
    Tone.NEWS: 0x3B7DD8,
    Tone.QUIET: 0x8A8F98,
}
_Parts = Sequence["ui.Item[ui.LayoutView]"]


def view(card: Card) -> ui.LayoutView:
    """Draw a card. The view keeps nothing in memory: what is pressed is found by its custom_id."""
    drawn = ui.LayoutView(timeout=None)
    container: ui.Container[ui.LayoutView] = ui.Container(accent_colour=_COLOURS.get(card.tone))
    for line in fitting(card):
        for part in _draw(line):
            container.add_item(part)
    drawn.add_item(container)
    drawn.stop()
    return drawn


def files(attachments: Sequence[Attachment]) -> list[discord.File]:
    """Return the files of a card, ready to send once."""
    return [
        discord.File(io.BytesIO(each.content), filename=each.file_name, description=each.alt[:1024] or None)
        for each in attachments
    ]


def buttons(row: Sequence[Button]) -> ui.View:
    """Draw buttons alone, to go under an embed."""
    drawn = ui.View(timeout=None)
    for each in row:
        drawn.add_item(_button(each))
    drawn.stop()
    return drawn


def modal(form: Form) -> ui.Modal:
    """Draw a form."""
    drawn = ui.Modal(title=_cut(form.title, 45), custom_id=custom_id(form.action, form.args))
    for each in form.fields:
        component = _input(each)
        drawn.add_item(
            ui.Label(text=_cut(each.label, 45), description=_cut(each.about, 100) or None, component=component)
        )
    drawn.stop()
    return drawn


def fitting(card: Card) -> list[Line]:
    """Return the lines that fit into one message; controls at the end stay, paragraphs before them give way."""
    lines: list[Line] = [*([Text(f"## {card.title}")] if card.title else []), *card.lines]
    tail: list[Line] = []
    while lines and isinstance(lines[-1], Buttons | Choice):
        tail.insert(0, lines.pop())
    components = MOST_COMPONENTS - 2 - sum(map(_weight, tail))  # the container, and the line that says "more"
    characters = MOST_CHARACTERS - _KEPT_FOR_MORE
    kept: list[Line] = []
    for line in lines:
        components -= _weight(line)
        characters -= len(_text(line))
        if components < 0 or characters < 0:
            break
        kept.append(line)
    left_out = sum(1 for line in lines[len(kept) :] if not isinstance(line, Divider))
    more = [Text(f"-# {_MORE.format(number=left_out)}")] if left_out else []
    return [*kept, *more, *tail]


def _weight(line: Line) -> int:
    match line:
        case Row():
            return 3
        case Buttons(buttons):
            return len(buttons) + -(-len(buttons) // BUTTONS_A_ROW)
        case Choice() | Picture():
            return 2
        case _:
            return 1


def _text(line: Line) -> str:
    return line.text if isinstance(line, Text | Row) else ""


def _draw(line: Line) -> Iterator[ui.Item[ui.LayoutView]]:
    match line:
        case Text(text):
            yield ui.TextDisplay(_cut(text, MOST_CHARACTERS) or "\u200b")
        case Row(text, button):
            yield ui.Section(ui.TextDisplay(_cut(text, MOST_CHARACTERS) or "\u200b"), accessory=_button(button))
        case Buttons(buttons):
            for start in range(0, len(buttons), BUTTONS_A_ROW):
                yield ui.ActionRow(*map(_button, buttons[start : start + BUTTONS_A_ROW]))
        case Choice():
            yield ui.ActionRow(_select(line))
        case Divider():
            yield ui.Separator()
        case Picture(file_name, alt):
            item = discord.MediaGalleryItem(f"attachment://{file_name}", description=_cut(alt, 1024))
            yield ui.MediaGallery(item)
        case Download(file_name):
            yield ui.File(f"attachment://{file_name}")


def _button(button: Button) -> ui.Button[ui.LayoutView]:
    label, emoji = _cut(button.label, 80), button.emoji or None
    if button.url:
        return ui.Button(label=label, url=button.url, emoji=emoji, disabled=button.is_off)
    style = discord.ButtonStyle[button.style.value]
    return ui.Button(
        label=label, style=style, custom_id=custom_id(button.action, button.args), emoji=emoji, disabled=button.is_off
    )


def _select(choice: Choice) -> ui.Item[ui.LayoutView]:
    where = custom_id(choice.action, choice.args)
    hint = _cut(choice.placeholder, 150) or None
    least, most = choice.least, choice.most
    match choice.kind:
        case Pick.OPTION:
            options = _options(choice.options)
            most = max(1, min(most, len(options)))
            return ui.Select(
                custom_id=where, placeholder=hint, options=options, min_values=min(least, most), max_values=most
            )
        case Pick.ROLE:
            chosen = [
                discord.SelectDefaultValue(id=each, type=discord.SelectDefaultValueType.role) for each in choice.chosen
            ]
            return ui.RoleSelect(
                custom_id=where, placeholder=hint, default_values=chosen, min_values=least, max_values=most
            )
        case Pick.CHANNEL:
            chosen = [
                discord.SelectDefaultValue(id=each, type=discord.SelectDefaultValueType.channel)
                for each in choice.chosen
            ]
            kinds = [discord.ChannelType.text, discord.ChannelType.news]
            return ui.ChannelSelect(
                custom_id=where,
                placeholder=hint,
                default_values=chosen,
                channel_types=kinds,
                min_values=least,
                max_values=most,
            )
        case Pick.USER:
            return ui.UserSelect(custom_id=where, placeholder=hint, min_values=least, max_values=most)


def _input(each: Field) -> ui.Item[ui.Modal]:
    match each.shape:
        case Shape.TEXT | Shape.LONG_TEXT:
            style = discord.TextStyle.short if each.shape is Shape.TEXT else discord.TextStyle.paragraph
            return ui.TextInput(
                custom_id=each.name,
                style=style,
                default=each.value[: each.longest] or None,
                placeholder=_cut(each.placeholder, 100) or None,
                required=each.is_needed,
                max_length=each.longest,
            )
        case Shape.OPTIONS:
            options = _options(each.options)
            least = 1 if each.is_needed else 0
            most = max(1, min(each.most, len(options)))
            return ui.Select(
                custom_id=each.name, options=options, min_values=least, max_values=most, required=each.is_needed
            )
        case Shape.RADIO:
            radios = [
                discord.RadioGroupOption(
                    label=_cut(option.label, 100),
                    value=option.value,
                    description=_cut(option.about, 100) or None,
                    default=option.is_chosen,
                )
                for option in each.options
            ]
            return ui.RadioGroup(custom_id=each.name, options=radios, required=each.is_needed)
        case Shape.CHECK:
            return ui.Checkbox(custom_id=each.name, default=bool(each.value))
        case Shape.ROLES | Shape.CHANNELS | Shape.USERS:
            return _list_input(each)


def _list_input(each: Field) -> ui.Item[ui.Modal]:
    """Draw a list of the server's own roles, channels or people."""
    least = 1 if each.is_needed else 0
    if each.shape is Shape.USERS:
        return ui.UserSelect(custom_id=each.name, min_values=least, max_values=each.most, required=each.is_needed)
    kind = discord.SelectDefaultValueType.role if each.shape is Shape.ROLES else discord.SelectDefaultValueType.channel
    chosen = [discord.SelectDefaultValue(id=one, type=kind) for one in each.chosen]
    if each.shape is Shape.ROLES:
        return ui.RoleSelect(
            custom_id=each.name, min_values=least, max_values=each.most, required=each.is_needed, default_values=chosen
        )
    return ui.ChannelSelect(
        custom_id=each.name,
        min_values=least,
        max_values=each.most,
        required=each.is_needed,
        default_values=chosen,
        channel_types=[discord.ChannelType.text, discord.ChannelType.news],
    )


def _options(options: Sequence[Option]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(
            label=_cut(option.label, 100) or "\u200b",
            value=option.value,
            description=_cut(option.about, 100) or None,
            default=option.is_chosen,
        )
        for option in options[:MOST_OPTIONS]
    ]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"

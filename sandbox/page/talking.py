"""What people do in the server: write, type commands, press, pick, fill in forms, open somebody's menu."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.discord import offers
from sandbox.discord.command_rules import CHAT_INPUT
from sandbox.discord.interactions import Interaction
from sandbox.discord.offers import Offer
from sandbox.discord.world import Message, User
from sandbox.page.composing import form_values, option_values, typed_options
from sandbox.page.conversation import CommandDraft
from sandbox.page.desk import Button, Desk
from sandbox.page.fields import Fields

LONGEST_TEXT = 2000
ANSWER_SECONDS = 8.0
_UPDATES = (6, 7)
LANGUAGES = {"en-US": "English", "it": "Italiano"}


async def say(desk: Desk, fields: Fields) -> str:
    """Post a message in the open channel, or run a slash command."""
    text = fields.get("text").strip()[:LONGEST_TEXT]
    if not text:
        raise LookupError("Write something first.")
    if text.startswith("/"):
        return await _type_command(desk, text.removeprefix("/").strip())
    _require_inside(desk)
    desk.world.discord.people.say(desk.channel, desk.person, text)
    is_claim = text.lower().startswith("!claim")
    answer = " The bot hides it and answers in a direct message." if is_claim else ""
    return f"{desk.name} wrote in {desk.channel_name}.{answer}"


async def run_command(desk: Desk, fields: Fields) -> str:
    """Run the command whose form was filled in, or ask for suggestions."""
    draft = _draft(desk, fields.get("command"))
    draft.typed = dict(fields.after("o."))
    if fields.get("suggest"):
        found = await suggestions(desk, fields)
        return f"The bot suggests {len(found)} for “{fields.get('suggest')}”."
    values = option_values(draft, fields)
    asked = desk.world.discord.invoke.command(desk.person, desk.channel, draft.offer.name, values)
    desk.talk.draft = None
    return await _answered(desk, asked)


async def suggestions(desk: Desk, fields: Fields) -> list[str]:
    """Ask the bot for suggestions for the option `suggest`; return their names. Raises LookupError."""
    draft, name = _draft(desk, fields.get("command")), fields.get("suggest")
    draft.typed = dict(fields.after("o."))
    if name not in [each["name"] for each in draft.offer.options if each.get("autocomplete")]:
        raise LookupError("The command has no such option.")
    text, known = draft.typed.get(name, ""), draft.suggested.get(name, {})
    if text in known:
        # A name that was picked still means its value: asked again, the bot may not know it.
        return list(known)
    others = {key: value for key, value in option_values(draft, fields).items() if key != name}
    asked = desk.world.discord.invoke.autocomplete(desk.person, desk.channel, draft.offer.name, (name, text), others)
    answered = await asked.answered(ANSWER_SECONDS)
    found = {str(each["name"]): each["value"] for each in answered.choices or ()}
    draft.suggested[name] = found
    return list(found)


async def close_command(desk: Desk, _: Fields) -> str:
    """Put the command away."""
    desk.talk.draft = None
    return ""


async def press(desk: Desk, fields: Fields) -> str:
    """Press a button under a message of the bot, or choose in a select."""
    message = _message(desk, fields.get("message"))
    values = [each for each in fields.all("values") if each]
    asked = desk.world.discord.invoke.component(desk.person, message, fields.get("custom_id"), values)
    return await _answered(desk, asked)


async def dismiss(desk: Desk, fields: Fields) -> str:
    """Put a private answer out of sight."""
    desk.talk.dismiss(_message(desk, fields.get("message")))
    return ""


async def submit_form(desk: Desk, fields: Fields) -> str:
    """Send the form that is open."""
    form = desk.talk.form_of(desk.person)
    if form is None or form.modal is None:
        raise LookupError("That form is closed.")
    desk.talk.filled = {key: fields.all(f"f.{key}") for key, _ in fields.after("f.")}
    asked = desk.world.discord.invoke.modal(form, form_values(form.modal, fields))
    desk.talk.open_form(None)
    return await _answered(desk, asked)


async def close_form(desk: Desk, _: Fields) -> str:
    """Put the form away."""
    desk.talk.open_form(None)
    return ""


async def open_menu(desk: Desk, fields: Fields) -> str:
    """Choose a User command in a member's menu."""
    target = _user(desk, fields.get("target"))
    invoke = desk.world.discord.invoke
    return await _answered(desk, invoke.user_menu(desk.person, desk.channel, fields.get("command"), target))


async def set_language(desk: Desk, fields: Fields) -> str:
    """Choose the language of the person's Discord."""
    if fields.get("language") not in LANGUAGES:
        raise LookupError("There is no such language.")
    desk.person.locale = fields.get("language")
    return f"{desk.name}'s Discord speaks {LANGUAGES[desk.person.locale]} now."


def compose(desk: Desk, name: str) -> None:
    """Open the form of a command. Raises LookupError when the person is not offered it."""
    offer = _offer(desk, name)
    desk.talk.open_form(None)
    desk.talk.draft = CommandDraft(offer=offer, user=desk.person)
    desk.revision += 1


async def _type_command(desk: Desk, line: str) -> str:
    """Run a typed command; one that still needs something opens its form."""
    _require_inside(desk)
    desk.talk.put_away()
    words = line.split()
    for count in range(len(words), 0, -1):
        name, rest = " ".join(words[:count]), line.split(maxsplit=count)[count:]
        offer = next((each for each in _offers(desk) if name in (each.name, each.shown_name)), None)
        if offer is None:
            continue
        typed = typed_options(offer, rest[0] if rest else "")
        missing = [each for each in offer.options if each.get("required") and each["name"] not in typed]
        draft = CommandDraft(offer=offer, user=desk.person, typed=typed)
        if missing or (offer.options and not typed):
            desk.talk.draft = draft
            return f"/{offer.shown_name}: fill in what it asks for, below the messages."
        values = option_values(draft, Fields(texts=tuple((f"o.{key}", value) for key, value in typed.items())))
        return await _answered(desk, desk.world.discord.invoke.command(desk.person, desk.channel, offer.name, values))
    offers.registered(desk.world.discord.world, words[0] if words else "", desk.channel)
    raise LookupError(f"{desk.name} is not offered /{line}. Press “/” to see the commands.")


async def _answered(desk: Desk, asked: Interaction) -> str:
    """Wait for the bot and say where to look."""
    await asked.answered(ANSWER_SECONDS)
    desk.talk.keep(asked)
    if asked.modal is not None:
        return f"The bot opened a form for {desk.name}, below the messages."
    if asked.answer_kind in _UPDATES and not asked.messages:
        return "The bot changed its message."
    if all(message.is_ephemeral for message in asked.messages):
        return f"The bot answered {desk.name} in {desk.channel_name}; nobody else sees it."
    return f"The bot answered in {desk.channel_name}."


def _offers(desk: Desk) -> list[Offer]:
    return list(offers.offers(desk.world.discord.world, desk.person, desk.channel, kind=CHAT_INPUT))


def _offer(desk: Desk, name: str) -> Offer:
    for each in _offers(desk):
        if each.name == name:
            return each
    raise LookupError(f"{desk.name} is not offered /{name}.")


def _draft(desk: Desk, name: str) -> CommandDraft:
    """Return the draft of a command, a new one when another tab has put it away."""
    draft = desk.talk.draft_of(desk.person)
    if draft is None or draft.offer.name != name:
        draft = desk.talk.draft = CommandDraft(offer=_offer(desk, name), user=desk.person)
    return draft


def _message(desk: Desk, wanted: str) -> Message:
    message_id = int(wanted) if wanted.isdigit() else 0
    private = desk.talk.private_answers(desk.person, desk.channel)
    found = next((each for each in private if each.id == message_id), desk.channel.messages.get(message_id))
    if found is None:
        raise LookupError("That message is gone.")
    return found


def _user(desk: Desk, wanted: str) -> User:
    member = desk.guild.members.get(int(wanted) if wanted.isdigit() else 0)
    if member is None:
        raise LookupError("That member is gone.")
    return member.user


def _require_inside(desk: Desk) -> None:
    is_direct = desk.channel.recipient is not None
    if not is_direct and desk.person.id not in desk.guild.members:
        raise PermissionError(f"{desk.name} is not in the server. Connecting adds them.")


TALKING: Mapping[str, Button] = {
    "say": say,
    "run": run_command,
    "close-command": close_command,
    "press": press,
    "dismiss": dismiss,
    "submit": submit_form,
    "close-form": close_form,
    "menu": open_menu,
    "language": set_language,
}

"""From the body of a request that posts or edits a message to the message: checks, mentions, components, embeds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from sandbox.discord import errors
from sandbox.discord.world import Channel, Json, Message, User, World

CONTENT_LIMIT = 2_000
COMPONENTS_V2 = 1 << 15
SETTABLE_FLAGS = (1 << 2) | (1 << 6) | (1 << 12) | COMPONENTS_V2
_MENTION = re.compile(r"<@!?(\d+)>")


def new_message(world: World, channel: Channel, author: User, body: Json, *, files: Sequence[Json] = ()) -> Message:
    """Return a message made of a request body. Raises ApiError 50006 when empty, 50035 when too long."""
    message = Message(
        id=world.ids.next(),
        channel_id=channel.id,
        guild_id=channel.guild_id,
        author=author,
        content="",
        timestamp=world.clock.now(),
        flags=int(body.get("flags") or 0) & SETTABLE_FLAGS,
        nonce=body.get("nonce"),
    )
    reference = body.get("message_reference")
    if reference:
        message.kind, message.replies_to = 19, int(reference["message_id"])
    apply_edit(world, message, body, files=files)
    if not (message.content or message.embeds or message.components or message.attachments):
        raise errors.ApiError(400, 50006, "Cannot send an empty message")
    if reference and _pings_reply(body):
        _mention_author(channel, message)
    return message


def apply_edit(world: World, message: Message, body: Json, *, files: Sequence[Json] = ()) -> None:
    """Change a message as far as the body says. Raises ApiError 50035 when something is too long."""
    content = body.get("content", message.content) or ""
    if len(content) > CONTENT_LIMIT:
        raise errors.invalid_form("content", f"Must be {CONTENT_LIMIT} or fewer in length.")
    if len(body.get("embeds") or ()) > 10:
        raise errors.invalid_form("embeds", "Must be 10 or fewer in length.")
    message.content = content
    message.mentions = _mentioned(world, content, body)
    if "embeds" in body:
        message.embeds = [_embed(each) for each in body["embeds"] or ()]
    if "components" in body:
        message.components = _components(body["components"] or (), count(1))
    if "attachments" in body or files:
        message.attachments = list(files)
    message.flags |= int(body.get("flags") or 0) & SETTABLE_FLAGS


def _mentioned(world: World, content: str, body: Json) -> list[User]:
    allowed = body.get("allowed_mentions")
    ids = [int(each) for each in dict.fromkeys(_MENTION.findall(content))]
    if allowed is not None and "users" not in (allowed.get("parse") or ()):
        listed = {int(each) for each in allowed.get("users") or ()}
        ids = [each for each in ids if each in listed]
    return [world.users[each] for each in ids if each in world.users]


def _pings_reply(body: Json) -> bool:
    return bool((body.get("allowed_mentions") or {"replied_user": True}).get("replied_user"))


def _mention_author(channel: Channel, message: Message) -> None:
    answered = channel.messages.get(message.replies_to or 0)
    if answered and answered.author not in message.mentions:
        message.mentions.append(answered.author)


def _embed(given: Json) -> Json:
    body: Json = {"type": "rich"} | given
    if "fields" in body:
        body["fields"] = [{"inline": False} | each for each in body["fields"]]
    return body


def _components(given: Sequence[Json], numbers: Iterator[int]) -> list[Json]:
    return [_component(each, numbers) for each in given]


def _component(given: Json, numbers: Iterator[int]) -> Json:
    """Return a component as Discord stores it: with an id and with the defaults of its type."""
    body: dict[str, Any] = {"id": next(numbers)} | _COMPONENT_DEFAULTS.get(given["type"], {}) | given
    if "components" in body:
        body["components"] = _components(body["components"], numbers)
    for key in ("accessory", "component"):
        if body.get(key):
            body[key] = _component(body[key], numbers)
    return body


_SELECT: Json = {"min_values": 1, "max_values": 1, "disabled": False}
_COMPONENT_DEFAULTS: dict[int, Json] = {
    2: {"disabled": False},
    3: _SELECT,
    5: _SELECT,
    6: _SELECT,
    7: _SELECT,
    8: _SELECT,
    14: {"divider": True, "spacing": 1},
    17: {"accent_color": None, "spoiler": False},
}

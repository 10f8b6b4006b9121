"""From the body of a request that posts or edits a message to the message: mentions, components, embeds, files.

What Discord would refuse is refused first, by message_rules.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sandbox.discord import errors
from sandbox.discord.complaints import Place
from sandbox.discord.component_rules import ATTACHMENT, FILE, GALLERY, media_of
from sandbox.discord.files import LARGEST_FILE, Upload, safe_name
from sandbox.discord.message_rules import COMPONENTS_V2, check_message
from sandbox.discord.world import Channel, Json, Message, User, World

SUPPRESS_EMBEDS, EPHEMERAL, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 6, 1 << 12
POSTED_FLAGS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
ANSWERED_FLAGS = POSTED_FLAGS | EPHEMERAL
EDITED_FLAGS = SUPPRESS_EMBEDS | COMPONENTS_V2
_MENTION = re.compile(r"<@!?(\d+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a request says about a message: its body, its files, the part of the request that complaints name.

    Only an answer to an interaction can be ephemeral.
    """

    body: Json
    files: Sequence[Upload] = ()
    within: Place = ()
    is_answer: bool = False


def new_message(world: World, channel: Channel, author: User, draft: Draft) -> Message:
    """Return a message made of a draft. Raises ApiError 50006 when empty, 50035 when Discord would refuse it."""
    _check(None, draft)
    body = draft.body
    message = Message(
        id=world.ids.next(),
        channel_id=channel.id,
        guild_id=channel.guild_id,
        author=author,
        content="",
        timestamp=world.clock.now(),
        flags=int(body.get("flags") or 0) & (ANSWERED_FLAGS if draft.is_answer else POSTED_FLAGS),
        nonce=body.get("nonce"),
    )
    reference = body.get("message_reference")
    if reference:
        message.kind, message.replies_to = 19, int(reference["message_id"])
    _apply(world, message, draft)
    if not (message.content or message.embeds or message.components or message.attachments):
        raise errors.ApiError(400, 50006, "Cannot send an empty message")
    if reference and _pings_reply(body):
        _mention_author(channel, message)
    return message


def apply_edit(world: World, message: Message, draft: Draft) -> None:
    """Change a message as far as the draft says. Raises ApiError 50035, and leaves it alone, when Discord would."""
    _check(message, draft)
    message.flags |= int(draft.body.get("flags") or 0) & EDITED_FLAGS
    _apply(world, message, draft)


def _check(message: Message | None, draft: Draft) -> None:
    if any(len(each.content) > LARGEST_FILE for each in draft.files):
        raise errors.ApiError(413, 40005, "Request entity too large")
    uploaded = {safe_name(each.filename) for each in draft.files}
    uploaded |= {each["filename"] for each in message.attachments} if message else set()
    check_message(
        draft.body,
        was_v2=message is not None and message.is_v2,
        legacy_parts=message.legacy_parts if message else (),
        uploaded=uploaded,
        within=draft.within,
    )


def _apply(world: World, message: Message, draft: Draft) -> None:
    body = draft.body
    message.content = body.get("content", message.content) or ""
    message.mentions = _mentioned(world, message.content, body)
    if "attachments" in body or draft.files:
        message.attachments = _attachments(world, message, draft)
    if "embeds" in body:
        message.embeds = [_with_media(message, _embed(each)) for each in body["embeds"] or ()]
    if "components" in body:
        message.components = _components(message, body["components"] or (), _free_ids(body["components"] or ()))


def _attachments(world: World, message: Message, draft: Draft) -> list[Json]:
    """Keep what the edit lists (all of it without a list) and add the new files with their alt texts."""
    listed = draft.body.get("attachments")
    described = {str(each.get("id")): each.get("description") for each in listed or ()}
    kept = [each for each in message.attachments if listed is None or each["id"] in described]
    added = [
        world.files.keep(
            each,
            file_id=world.ids.next(),
            channel_id=message.channel_id,
            description=described.get(str(each.number)),
        )
        | {"ephemeral": message.is_ephemeral}
        for each in draft.files
    ]
    return [*kept, *added]


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


def _with_media(message: Message, embed: Json) -> Json:
    pictures = {key: embed[key] | _media(message, embed[key]) for key in ("image", "thumbnail") if embed.get(key)}
    return embed | {key: {name: each[name] for name in each if name != "id"} for key, each in pictures.items()}


def _free_ids(components: Sequence[Json]) -> Iterator[int]:
    taken = {each.get("id") for each in components}
    return (number for number in count(1) if number not in taken)


def _components(message: Message, given: Sequence[Json], numbers: Iterator[int]) -> list[Json]:
    return [_component(message, each, numbers) for each in given]


def _component(message: Message, given: Json, numbers: Iterator[int]) -> Json:
    """Return a component as Discord stores it: with an id, its media found, and the defaults of its type."""
    own = {key: value for key, value in given.items() if value is not None}
    body: dict[str, Any] = _COMPONENT_DEFAULTS.get(given["type"], {}) | own
    body["id"] = own.get("id") or next(numbers)
    if "components" in body:
        body["components"] = _components(message, body["components"], numbers)
    for key in ("accessory", "component"):
        if body.get(key):
            body[key] = _component(message, body[key], numbers)
    return _with_found_media(message, body)


def _with_found_media(message: Message, body: Json) -> Json:
    if body["type"] == GALLERY:
        items = [{"description": None, "spoiler": False} | each for each in body["items"]]
        return body | {"items": [each | {"media": _media(message, each["media"])} for each in items]}
    for media in media_of(body):
        found = _media(message, media)
        if body["type"] == FILE:
            attachment = _named(message, media["url"]) or {}
            return body | {"file": found, "name": attachment.get("filename"), "size": attachment.get("size")}
        return body | {"media": found}
    return body


def _media(message: Message, given: Json) -> Json:
    attachment = _named(message, given["url"])
    if attachment is None:
        return {"id": "0", "url": given["url"], "proxy_url": given["url"]}
    kept = ("id", "url", "proxy_url", "content_type", "width", "height")
    found = {key: attachment[key] for key in kept if key in attachment}
    return found | {"attachment_id": attachment["id"]}


def _named(message: Message, url: str) -> Json | None:
    name = url.removeprefix(ATTACHMENT)
    found = [each for each in message.attachments if url.startswith(ATTACHMENT) and each["filename"] == name]
    return found[-1] if found else None


_SELECT: Json = {"min_values": 1, "max_values": 1, "disabled": False}
_COMPONENT_DEFAULTS: dict[int, Json] = {
    2: {"disabled": False},
    3: _SELECT,
    5: _SELECT,
    6: _SELECT,
    7: _SELECT,
    8: _SELECT,
    11: {"description": None, "spoiler": False},
    13: {"spoiler": False},
    14: {"divider": True, "spacing": 1},
    17: {"accent_color": None, "spoiler": False},
}

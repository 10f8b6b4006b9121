"""Which messages Discord accepts: lengths, embeds, and what Components V2 rule out. Components: component_rules.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.discord.complaints import Complaints, Place
from sandbox.discord.component_rules import check_message_components
from sandbox.discord.world import Json

CONTENT_LIMIT, EMBEDS_LIMIT, EMBED_TEXT_LIMIT, FILES_LIMIT = 2_000, 10, 6_000, 10
COMPONENTS_V2 = 1 << 15
_RULED_OUT_BY_V2 = ("content", "embeds", "poll", "sticker_ids")
_EMBED = {"title": 256, "description": 4_096}


def check_message(
    body: Mapping[str, Any],
    *,
    was_v2: bool,
    legacy_parts: Collection[str],
    uploaded: Collection[str],
    within: Place = (),
) -> None:
    """Raise ApiError 50035 for what Discord would refuse in a message or an edit.

    `was_v2` and `legacy_parts` tell of the message that is edited (which of content and embeds it has); a message that
    once has Components V2 keeps them, and becomes one only when what they rule out is emptied in the same edit.
    """
    complaints = Complaints(within)
    flags = int(body.get("flags") or 0)
    is_v2 = was_v2 or bool(flags & COMPONENTS_V2)
    if was_v2 and body.get("flags") is not None and not flags & COMPONENTS_V2:
        message = "The IS_COMPONENTS_V2 flag cannot be removed from a message."
        complaints.add(("flags",), "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG", message)
    if is_v2:
        _check_ruled_out(complaints, body, legacy_parts)
    complaints.check_length(body.get("content"), 0, CONTENT_LIMIT, ("content",))
    complaints.check_length(body.get("embeds"), 0, EMBEDS_LIMIT, ("embeds",))
    complaints.check_length(body.get("attachments"), 0, FILES_LIMIT, ("attachments",))
    for number, each in enumerate(body.get("attachments") or ()):
        complaints.check_length(each.get("description"), 0, 1_024, ("attachments", number, "description"))
    for number, each in enumerate(body.get("embeds") or ()):
        _check_embed(complaints, each, ("embeds", number))
    nonce = body.get("nonce")
    complaints.check_length(None if nonce is None else str(nonce), 0, 25, ("nonce",))
    check_message_components(complaints, body.get("components") or [], is_v2=is_v2, uploaded=uploaded)
    complaints.raise_any()


def _check_ruled_out(complaints: Complaints, body: Mapping[str, Any], legacy_parts: Collection[str]) -> None:
    for key in _RULED_OUT_BY_V2:
        is_left = key in legacy_parts and key not in body
        if body.get(key) or is_left:
            message = f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            complaints.add((key,), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message)


def _check_embed(complaints: Complaints, given: Json, place: Place) -> None:
    for key, most in _EMBED.items():
        complaints.check_length(given.get(key), 0, most, (*place, key))
    fields = given.get("fields") or []
    complaints.check_length(fields, 0, 25, (*place, "fields"))
    for number, each in enumerate(fields):
        for key, most in (("name", 256), ("value", 1_024)):
            complaints.require(each, key, (*place, "fields", number))
            complaints.check_length(each.get(key), 1, most, (*place, "fields", number, key))
    footer, author = (given.get("footer") or {}).get("text"), (given.get("author") or {}).get("name")
    complaints.check_length(footer, 0, 2_048, (*place, "footer", "text"))
    complaints.check_length(author, 0, 256, (*place, "author", "name"))
    texts = [given.get("title"), given.get("description"), footer, author]
    texts += [each.get(key) for each in fields for key in ("name", "value")]
    if sum(len(str(each)) for each in texts if each) > EMBED_TEXT_LIMIT:
        message = f"Embed size exceeds maximum size of {EMBED_TEXT_LIMIT}"
        complaints.add(place, "MAX_EMBED_SIZE_EXCEEDED", message)

"""The bot's answers to interactions: the callback, follow-ups, edits; and messages through incoming webhooks."""

from __future__ import annotations

from sandbox.discord import drafts, errors, payloads
from sandbox.discord.command_rules import check_choices
from sandbox.discord.complaints import Complaints, Place
from sandbox.discord.component_rules import check_form
from sandbox.discord.drafts import Draft
from sandbox.discord.faults import Answer
from sandbox.discord.interactions import AUTOCOMPLETE as TYPING
from sandbox.discord.interactions import MODAL_SUBMIT, Interaction
from sandbox.discord.rest.call import NO_CONTENT, Call, RouteTable, ok
from sandbox.discord.world import Json, Message, User

routes = RouteTable()
WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
LOADING = 1 << 7
DATA: Place = ("data",)
MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, AUTOCOMPLETE, MODAL = 4, 5, 6, 7, 8, 9


@routes.add("POST", "/interactions/{interaction_id}/{interaction_token}/callback", bucket=None, access="open")
async def answer(call: Call) -> Answer:
    """Take the first answer: a message, "thinking", an update of the clicked message, choices or a form."""
    interaction = call.state.interactions.awaiting_answer(call.id("interaction_id"), call.ids["interaction_token"])
    kind, body = int(call.body["type"]), call.body.get("data") or {}
    _carry_out(call, interaction, kind, body)
    interaction.answer_kind = kind
    if kind not in (DEFERRED_MESSAGE, DEFERRED_UPDATE):
        interaction.mark_answered()
    if call.query.get("with_response") not in ("true", "True", "1"):
        return NO_CONTENT
    return ok(_callback_answer(interaction, kind))


def _carry_out(call: Call, interaction: Interaction, kind: int, body: Json) -> None:
    if (kind == AUTOCOMPLETE) != (interaction.kind == TYPING):
        raise errors.invalid_form("type", "The callback type does not fit the interaction.")
    if kind in (MESSAGE, DEFERRED_MESSAGE):
        message = _post(call, interaction, body, is_loading=kind == DEFERRED_MESSAGE, within=DATA)
        interaction.original, interaction.is_loading = message, kind == DEFERRED_MESSAGE
    elif kind in (DEFERRED_UPDATE, UPDATE):
        if interaction.message is None:
            raise errors.invalid_form("type", "There is no message to update.")
        interaction.original = interaction.message
        if kind == UPDATE:
            _edit(call, interaction, interaction.message, body, within=DATA)
    elif kind == AUTOCOMPLETE:
        check_choices(body.get("choices") or (), DATA)
        interaction.choices = list(body.get("choices") or ())
    elif kind == MODAL:
        interaction.modal = _form(interaction, body)
    else:
        raise errors.invalid_form("type", "Value must be one of {4, 5, 6, 7, 8, 9}.")


def _form(interaction: Interaction, body: Json) -> Json:
    if interaction.kind == MODAL_SUBMIT:
        raise errors.invalid_form("type", "A form cannot be answered with a form.")
    complaints = Complaints(DATA)
    check_form(complaints, body)
    complaints.raise_any()
    return body


def _callback_answer(interaction: Interaction, kind: int) -> Json:
    body: Json = {"id": str(interaction.id), "type": interaction.kind}
    if interaction.original:
        body["response_message_id"] = str(interaction.original.id)
        body["response_message_loading"] = interaction.is_loading
        body["response_message_ephemeral"] = interaction.original.is_ephemeral
    if kind in (MESSAGE, UPDATE) and interaction.original:
        resource = {"type": kind, "message": payloads.message(interaction.original)}
        return {"interaction": body, "resource": resource}
    return {"interaction": body}


@routes.add("POST", WEBHOOK, bucket="follow-up", access="open")
async def follow_up(call: Call) -> Answer:
    """Post a follow-up (the first one fills a "thinking" answer), or execute an incoming webhook."""
    webhook = call.world.webhooks.get(call.id("webhook_id"))
    if webhook:
        return _execute_webhook(call, webhook)
    interaction = _interaction(call)
    if interaction.is_loading and interaction.original:
        _edit(call, interaction, interaction.original, call.body)
        return ok(payloads.message(interaction.original))
    message = _post(call, interaction, call.body, is_loading=False)
    interaction.mark_answered()
    return ok(payloads.message(message))


# Decorators apply from below: @original must be known before {message_id}, which would match it too.
@routes.add("GET", WEBHOOK + "/messages/{message_id}", bucket="follow-up", access="open")
@routes.add("GET", WEBHOOK + "/messages/@original", bucket="follow-up", access="open")
async def get_answer(call: Call) -> Answer:
    """Return an answer as it is now."""
    return ok(payloads.message(_answer_message(call, _interaction(call))))


@routes.add("PATCH", WEBHOOK + "/messages/{message_id}", bucket="follow-up", access="open")
@routes.add("PATCH", WEBHOOK + "/messages/@original", bucket="follow-up", access="open")
async def edit_answer(call: Call) -> Answer:
    """Edit an answer."""
    interaction = _interaction(call)
    message = _answer_message(call, interaction)
    _edit(call, interaction, message, call.body)
    return ok(payloads.message(message))


@routes.add("DELETE", WEBHOOK + "/messages/{message_id}", bucket="follow-up", access="open")
@routes.add("DELETE", WEBHOOK + "/messages/@original", bucket="follow-up", access="open")
async def delete_answer(call: Call) -> Answer:
    """Delete an answer."""
    interaction = _interaction(call)
    message = _answer_message(call, interaction)
    if message in interaction.messages:
        interaction.messages.remove(message)
    call.state.changes.message_deleted(interaction.channel, message)
    interaction.mark_answered()
    return NO_CONTENT


def _interaction(call: Call) -> Interaction:
    if call.id("webhook_id") != call.world.portal.application_id:
        raise errors.unknown("Webhook")
    return call.state.interactions.with_token(call.ids["webhook_token"])


def _answer_message(call: Call, interaction: Interaction) -> Message:
    if "message_id" not in call.ids:
        candidates = [interaction.original] if interaction.original else []
    else:
        candidates = [*interaction.messages, *([interaction.message] if interaction.message else [])]
        candidates = [each for each in candidates if each.id == call.id("message_id")]
    if not candidates or candidates[0].is_deleted:
        raise errors.unknown("Message")
    return candidates[0]


def _post(call: Call, interaction: Interaction, body: Json, *, is_loading: bool, within: Place = ()) -> Message:
    # Of a deferred answer Discord takes the ephemeral flag only; Components V2 come with the edit.
    given = {"content": "thinking", "flags": int(body.get("flags") or 0) & drafts.EPHEMERAL} if is_loading else body
    draft = Draft(body=given, files=call.files, within=within, is_answer=True)
    message = drafts.new_message(call.world, interaction.channel, call.bot, draft)
    if is_loading:
        message.content, message.flags = "", message.flags | LOADING
    message.kind = 20
    message.webhook_id = call.world.portal.application_id
    message.interaction = _metadata(interaction)
    interaction.messages.append(message)
    call.state.changes.message_created(interaction.channel, message)
    return message


def _metadata(interaction: Interaction) -> Json:
    body: Json = {
        "id": str(interaction.id),
        "type": interaction.kind,
        "user": payloads.user(interaction.user),
        "authorizing_integration_owners": {"0": str(interaction.channel.guild_id or 0)},
    }
    if interaction.form:
        body["triggering_interaction_metadata"] = _metadata(interaction.form)
    elif interaction.message:
        body["interacted_message_id"] = str(interaction.message.id)
    return body


def _edit(call: Call, interaction: Interaction, message: Message, body: Json, *, within: Place = ()) -> None:
    drafts.apply_edit(call.world, message, Draft(body=body, files=call.files, within=within))
    message.flags &= ~LOADING
    interaction.is_loading = False
    call.state.changes.message_edited(interaction.channel, message)
    interaction.mark_answered()


def _execute_webhook(call: Call, webhook: Json) -> Answer:
    if webhook["token"] != call.ids["webhook_token"]:
        raise errors.ApiError(401, 50027, "Invalid Webhook Token")
    channel = call.world.channels[int(webhook["channel_id"])]
    author = User(id=int(webhook["id"]), username=call.body.get("username") or webhook["name"], is_bot=True)
    draft = Draft(body=call.body, files=call.files)
    message = drafts.new_message(call.world, channel, author, draft)
    message.webhook_id = int(webhook["id"])
    call.state.changes.message_created(channel, message)
    return ok(payloads.message(message)) if call.query.get("wait") in ("true", "True", "1") else NO_CONTENT

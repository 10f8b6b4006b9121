"""Send one event-log post: together with others of its kind where they come in crowds, or as an edit of an earlier one.

A crowd is folded into one message in the database before it is sent, so that a retry sends the very same message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from membership import notices
from membership.desk import Post
from membership.errors import Blocked, Gone
from membership.ledgers import Transaction
from membership.model import ChannelId, GuildId, Lane, MessageId
from membership.records import Draft, Message
from membership.services import Services

TOGETHER_AFTER = 5
TOGETHER_WITHIN = timedelta(seconds=30)
MOST_TOGETHER = 500
TOUCHING = 6
OWNER = "owner"
"""The kind of message that goes to the owner of a server; its target is the server."""

ALONE = (notices.SOLUTION, "digest", "brake.held")
_TOLD_OF_EACH = ("name", "user_id", "plan", "number", "grant_id", "reason", "detail", "at")


async def send(services: Services, message: Message) -> bool:
    """Post a message; False when it waits to become one with others of its kind. Raises what Discord's port raises."""
    channel_id = ChannelId(int(message.target))
    if message.template == notices.SOLUTION:
        await services.discord.edit_post(
            channel_id, MessageId(int(str(message.facts["message_id"]))), message.template, message.facts
        )
        return True
    async with services.store.write() as tx:
        gathered = await _gathered(tx, message, services.clock.now())
        known = await _posted_problem(tx, gathered) if gathered else None
    if gathered is None:
        return False
    if known is not None:
        await services.discord.edit_post(channel_id, known.message_id, gathered.template, gathered.facts)
        return True
    posted = await services.discord.post(channel_id, gathered.template, gathered.facts, nonce=str(message.id))
    await _remember(services, gathered, channel_id, posted)
    return True


async def tell_owner(services: Services, message: Message) -> None:
    """Send a message to the owner of a server. Raises Blocked when they take none."""
    guild_id = GuildId(int(message.target))
    await services.discord.tell_owner(guild_id, message.template, message.facts, nonce=str(message.id))


async def fall_back(tx: Transaction, message: Message, refusal: Blocked | Gone, now: datetime) -> None:
    """Let the owner know that a channel takes no posts, once, and of what is loud all the same."""
    if message.template == notices.SOLUTION or "guild_id" not in message.facts:
        return
    guild_id, channel_id = str(message.facts["guild_id"]), ChannelId(int(message.target))
    why = refusal.reason.value if isinstance(refusal, Blocked) else "channel_gone"
    if await notices.note_channel_trouble(tx, channel_id, why):
        facts = {"guild_id": guild_id, "channel_id": str(channel_id), "reason": why, "at": now.isoformat()}
        await _put_to_owner(tx, message, "channel.trouble", facts, now)
    if message.facts.get("is_loud") or message.template == "digest":
        await _put_to_owner(tx, message, message.template, message.facts, now)


async def _put_to_owner(
    tx: Transaction, message: Message, template: str, facts: Mapping[str, object], now: datetime
) -> None:
    draft = Draft(
        dedupe_key=f"{OWNER}:{template}:{message.id}",
        kind=OWNER,
        target=str(message.facts["guild_id"]),
        template=template,
        facts=facts,
    )
    await tx.outbox.put(draft, now)


async def _gathered(tx: Transaction, message: Message, now: datetime) -> Message | None:
    """Return what to send now: the message, or one for many; None when it has to wait for more of its kind."""
    if message.template in ALONE or "count" in message.facts:
        return message
    alike = await tx.outbox.alike(message, TOUCHING)
    sent = await tx.outbox.sent_alike(message, now - TOGETHER_WITHIN)
    if len(alike) + sent <= TOGETHER_AFTER:
        return message
    due = alike[0].created_at + TOGETHER_WITHIN
    if now < due:
        await tx.jobs.mark("delivery", str(message.id), lane=Lane.EVENT, run_at=due, scope=message.kind)
        return None
    crowd = await tx.outbox.alike(message, MOST_TOGETHER)
    if len(crowd) == 1:
        return message
    facts = together(crowd)
    await tx.outbox.fold(message.id, [each.id for each in crowd if each.id != message.id], facts, now)
    return replace(message, facts=facts)


def together(crowd: Sequence[Message]) -> dict[str, object]:
    """Return the facts of one message for many: what is the same for all, how many there are, and each one's own."""
    first = crowd[0].facts
    same = {name: value for name, value in first.items() if all(each.facts.get(name) == value for each in crowd)}
    plans = sorted({str(each.facts["plan"]) for each in crowd if each.facts.get("plan")})
    problems = [str(each.facts["problem"]) for each in crowd if each.facts.get("problem")]
    return {
        **{name: value for name, value in same.items() if name not in ("user_id", "name", "problem")},
        **({"plan": ", ".join(plans)} if plans else {}),
        **({"problems": problems} if problems else {}),
        "at": crowd[-1].facts.get("at", ""),
        "is_loud": any(each.facts.get("is_loud") for each in crowd),
        "count": len(crowd),
        "listed": [{name: each.facts[name] for name in _TOLD_OF_EACH if each.facts.get(name)} for each in crowd],
    }


def _problems(message: Message) -> list[str]:
    listed = message.facts.get("problems")
    single = message.facts.get("problem")
    return [str(each) for each in listed] if isinstance(listed, list) else [str(single)] if single else []


async def _posted_problem(tx: Transaction, message: Message) -> Post | None:
    """Return the post that tells of the same problem already."""
    if "problem" not in message.facts or "guild_id" not in message.facts:
        return None
    known = await tx.posts.get(GuildId(int(str(message.facts["guild_id"]))), str(message.facts["problem"]))
    if known is None or known.state != notices.OPEN or known.message_id == notices.NOT_POSTED_YET:
        return None
    return known if str(known.channel_id) == message.target else None


async def _remember(services: Services, message: Message, channel_id: ChannelId, posted: MessageId) -> None:
    """Keep where problems were posted; one that was solved before its post arrived says so at once."""
    now = services.clock.now()
    async with services.store.write() as tx:
        await notices.note_channel_trouble(tx, channel_id, "")
        for problem in _problems(message):
            guild_id = GuildId(int(str(message.facts["guild_id"])))
            known = await tx.posts.get(guild_id, problem)
            if known is None:
                continue
            found = replace(known, channel_id=channel_id, message_id=posted)
            await tx.posts.put(found)
            if found.state != notices.OPEN:
                await notices.queue_solution(tx, found, now)

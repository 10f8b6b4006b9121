"""The cards of `/doorlist brake`, `pause` and `resume`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cogs.cards import Button, Buttons, Card, Divider, Row, Style, Text, Tone
from cogs.words import code_text, date, reason_text
from membership.errors import Reason
from membership.forecast import Forecast
from membership.pauses import Waiting
from membership.policy import Policy
from membership.records import Batch, Guild, HeldRemoval

PER_PAGE = 40
SHOWN_BEFORE_RELEASE = 10


def batches_card(batches: Sequence[Batch]) -> Card:
    """List what is held, when it is not one batch."""
    if not batches:
        return Card(lines=(Text("✅ Nothing is held: no removal waits for a person."),), tone=Tone.GOOD)
    rows = tuple(
        Row(
            f"**{what(batch.removals)}**\nheld {date(batch.created_at)}",
            Button(label="Review", action="brake-show", args=(batch.id,), style=Style.MAIN),
        )
        for batch in batches
    )
    return Card(title=f"🛑 {len(batches)} waves of removals are held", lines=rows, tone=Tone.WARN)


def batch_card(batch: Batch, reasons: Mapping[Reason, int], policy: Policy, note: str = "") -> Card:
    """Show one held batch with what can be done about it. The buttons are bound to exactly this set."""
    count = len(batch.removals)
    bound = (batch.id, batch.set_hash)
    buttons = (
        Button(label=f"Release {count}", action="brake-release", args=bound, style=Style.SHARP),
        *((Button(label="Release 1 to test", action="brake-release-one", args=bound),) if count > 1 else ()),
        Button(label="Discard, keep access", action="brake-discard", args=bound, style=Style.GOOD),
        Button(label="List", action="brake-list", args=(batch.id, 0)),
    )
    return Card(
        title=f"🛑 Held: {what(batch.removals)}",
        lines=(
            *((Text(note), Divider()) if note else ()),
            Text(f"{_limit(batch, policy)} Nothing was removed.\nSince {date(batch.created_at)}."),
            Text(f"Cause: {_causes(reasons, count)}"),
            Buttons(buttons),
            Text("-# Until you decide they keep access. New buyers are served as usual."),
        ),
        tone=Tone.WARN,
    )


def release_card(batch: Batch) -> Card:
    """Ask once more, with who it is about."""
    count = len(batch.removals)
    verb = "Kick" if all(removal.role_id is None for removal in batch.removals) else "Remove from"
    more = f"\nand {count - SHOWN_BEFORE_RELEASE} more" if count > SHOWN_BEFORE_RELEASE else ""
    sure = Button(
        label=f"{verb} {count} {_members(count)}",
        action="brake-release-now",
        args=(batch.id, batch.set_hash),
        style=Style.SHARP,
    )
    return Card(
        title=f"Release {what(batch.removals)}?",
        lines=(
            Text("\n".join(map(_line, batch.removals[:SHOWN_BEFORE_RELEASE])) + more),
            Text("Each purchase is read again before its role goes. A kick cannot be undone: they have to join again."),
            Buttons((sure, Button(label="Back", action="brake-show", args=(batch.id,)))),
        ),
        tone=Tone.BAD,
    )


def list_card(batch: Batch, page: int) -> Card:
    """List whom a batch is about, a page at a time."""
    pages = max(1, -(-len(batch.removals) // PER_PAGE))
    page = min(max(page, 0), pages - 1)
    shown = batch.removals[page * PER_PAGE : (page + 1) * PER_PAGE]
    turns = [
        Button(label=label, action="brake-list", args=(batch.id, target))
        for label, target in (("Earlier", page - 1), ("More", page + 1))
        if 0 <= target < pages
    ]
    return Card(
        title=f"Held: {what(batch.removals)} · page {page + 1} of {pages}",
        lines=(
            Text("\n".join(map(_line, shown))),
            Buttons((*turns, Button(label="Back", action="brake-show", args=(batch.id,)))),
        ),
        tone=Tone.WARN,
    )


def paused_card(guild: Guild) -> Card:
    """Say that nothing is given or taken any more."""
    why = f"\nReason: {code_text(guild.pause_reason)}" if guild.pause_reason else ""
    return Card(
        title="⏸️ Role changes are paused",
        lines=(
            Text(
                f"Nothing is given or taken in this server until somebody uses `/doorlist resume`.{why}\n"
                "Payments and claims are still taken in; what follows from them waits, and nothing is lost."
            ),
            Buttons((Button(label="Resume…", action="resume"),)),
        ),
        tone=Tone.WARN,
    )


def resume_card(waiting: Waiting) -> Card:
    """Show what would happen, before anything does."""
    guild = waiting.guild
    since = f"Paused {date(guild.paused_at)}" if guild.paused_at else "Paused"
    why = f": {code_text(guild.pause_reason)}" if guild.pause_reason else ""
    button = Button(label="Resume", action="resume-now", style=Style.MAIN)
    return Card(
        title="▶️ Start role changes again?",
        lines=(
            Text(f"{since}{why}"),
            Text(forecast_text(waiting.forecast)),
            Text("-# Every purchase is read again before a role goes, and an unusual wave is still held."),
            Buttons((button,)),
        ),
        tone=Tone.NEWS,
    )


def forecast_text(forecast: Forecast) -> str:
    """Say what reconciling would do."""
    kicks = f"\n! {forecast.kicks} would be kicked" if forecast.kicks else ""
    scope = "" if forecast.is_all else f"\n-# Counted over the first {forecast.looked_at} members; there are more."
    return f"+ {_roles(forecast.adds)} would be given\n− {_roles(forecast.removals)} would be taken{kicks}{scope}"


def _roles(number: int) -> str:
    return "1 role" if number == 1 else f"{number:,} roles"


def what(removals: Sequence[HeldRemoval]) -> str:
    """Say what a batch would do: 38 removals of @VIP."""
    kicks = sum(removal.role_id is None for removal in removals)
    roles = sorted({removal.role_id for removal in removals if removal.role_id is not None})
    parts = []
    if len(removals) > kicks:
        count = len(removals) - kicks
        parts.append(
            f"{count} {'removal' if count == 1 else 'removals'} of {' '.join(f'<@&{role}>' for role in roles[:3])}"
        )
    if kicks:
        parts.append(f"{kicks} {'kick' if kicks == 1 else 'kicks'}")
    return " and ".join(parts)


def in_words(batch: Batch) -> str:
    """Name a batch where mentions do not show."""
    return f"{len(batch.removals)} held since {batch.created_at:%d %b %H:%M} UTC"


def _limit(batch: Batch, policy: Policy) -> str:
    match batch.cause:
        case "too_many_removals":
            limit = f"{policy.brake_removals}, or {policy.brake_removal_percent} % of the paying members"
            return f"More removals in 24 hours than go through without asking ({limit})."
        case "too_many_kicks":
            limit = f"{policy.brake_kicks}, or {policy.brake_kick_percent} % of the paying members"
            return f"More kicks in 24 hours than go through without asking ({limit})."
        case _:
            return "No purchase ended: a plan was changed, or what it maps is gone. Such removals always wait."


def _causes(reasons: Mapping[Reason, int], count: int) -> str:
    looked_at = sum(reasons.values())
    named = ", ".join(f"{number} × “{reason_text(reason)}”" for reason, number in sorted(reasons.items()))
    return f"{named} (of the first {looked_at})" if looked_at < count else named


def _line(removal: HeldRemoval) -> str:
    act = "kick" if removal.role_id is None else f"loses <@&{removal.role_id}>"
    return f"• <@{removal.key.user_id}> {act}"


def _members(count: int) -> str:
    return "member" if count == 1 else "members"

"""The cards of `/sync`. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from cogs.about_cards import span
from cogs.cards import Button, Buttons, Card, Line, Row, Style, Text, Tone
from cogs.member_words import answer_text
from cogs.refusals import staff_fix, staff_sentence
from cogs.safety_cards import forecast_text
from cogs.words import code_text, date, role_mentions
from membership.adoption import NOTICE_DAYS, Holders
from membership.desk import AdoptionPolicy
from membership.drift import MOST, Away, Drift, Lacking
from membership.errors import Reason
from membership.forecast import Forecast
from membership.model import RoleId
from membership.records import TroubledJob
from membership.syncing import Ran, Refused, Status, member_of

ROWS_OF_EACH = 3
TROUBLES_SHOWN = 5
NAMED_OF_REFUSED = 20
_WAITS = timedelta(seconds=10)


def ran_card(ran: Ran) -> Card:
    """Say what a run came to, or that it goes on."""
    counts = f"{_members(ran.members)} here · + {ran.given:,} given · − {ran.taken:,} taken"
    failed = f"\n⚠️ {_members(ran.troubled)} could not be put right: see the status." if ran.troubled else ""
    status = Buttons((Button(label="Status", action="sync-status"),))
    if ran.is_through:
        tone = Tone.WARN if ran.troubled else Tone.GOOD
        return Card(title="🔄 Compared with what was paid", lines=(Text(f"{counts}{failed}"), status), tone=tone)
    more = f"Still running: {_members(ran.left)} to go. `/sync status` tells how far it is."
    return Card(
        title="🔄 Comparing with what was paid", lines=(Text(f"{counts}{failed}\n{more}"), status), tone=Tone.NEWS
    )


def dry_card(forecast: Forecast) -> Card:
    """Say what a run would do."""
    button = Button(label="Run now", action="sync-now", style=Style.MAIN)
    return Card(
        title="🔄 What a run would do",
        lines=(
            Text(forecast_text(forecast)),
            Text("-# Counted from what I last saw. Every purchase is read again before a role goes."),
            Buttons((button,)),
        ),
        tone=Tone.NEWS,
    )


def status_card(status: Status) -> Card:
    """Say how a server's work stands, with the troubles and a way to try each again."""
    parked = sum(job.is_parked for job in status.troubled)
    queue = f"{_members(status.queue)} in the queue" if status.queue else "nothing in the queue"
    waiting = "" if status.longest_wait < _WAITS else f", {span(status.longest_wait)} at most"
    lines: list[Line] = [
        Text(
            "\n".join(
                [
                    *_standing(status),
                    *_runs(status),
                    f"Newest event: {_moments(status.newest_events, status) or 'no payment provider is connected'}",
                    f"Now: {queue}{waiting}",
                ]
            )
        )
    ]
    if status.waiting:
        resume = Button(label="Resume…", action="resume", style=Style.MAIN)
        lines.append(Row(f"⏸️ **{status.waiting:,} waiting**: role changes are paused", resume))
    refused = list(_refused_lines(status.refused))
    lines += refused[:ROWS_OF_EACH] + _more(len(refused), ROWS_OF_EACH)
    if status.troubled:
        lines.append(Text(f"**{len(status.troubled):,} failed**, {parked:,} of them given up:"))
        lines += [_trouble(job) for job in status.troubled[:TROUBLES_SHOWN]]
        lines += _more(len(status.troubled), TROUBLES_SHOWN)
    run = Button(label="Run now", action="sync-now", style=Style.MAIN)
    lines.append(Buttons((run, Button(label="Refresh", action="sync-status"))))
    return Card(title="🔄 Status", lines=tuple(lines), tone=Tone.WARN if status.troubled or refused else Tone.NEWS)


def drift_card(drift: Drift, holders: Mapping[RoleId, Holders | None]) -> Card:
    """Show the three lists, each row with the one thing to do. `holders` None: Discord did not tell."""
    without = [each for each in holders.values() if each is None or each.user_ids]
    if not (without or drift.lacking or drift.away):
        return Card(
            lines=(Text("✅ No drift: everybody has exactly the roles that their purchases give."),), tone=Tone.GOOD
        )
    lines: list[Line] = [
        *_list(
            "Has a role without a purchase", [_holding(*each) for each in _counted(holders)], len(_counted(holders))
        ),
        *_list("Paid, and lacks a role", [_lacking(each) for each in drift.lacking[:ROWS_OF_EACH]], len(drift.lacking)),
        *_list(
            "Paid and connected, and not in the server",
            [_away(each) for each in drift.away[:ROWS_OF_EACH]],
            len(drift.away),
        ),
    ]
    return Card(title="🔄 Drift", lines=tuple(lines), tone=Tone.WARN)


def adopt_ask_card(holders: Holders, policy: AdoptionPolicy) -> Card:
    """Ask once more before people who hold a role without a purchase are touched."""
    number = len(holders.user_ids)
    role = f"<@&{holders.role_id}>"
    if not number:
        return Card(lines=(Text(f"Everybody who has {role} has it from a plan. There is nothing to decide."),))
    if policy is AdoptionPolicy.GRANDFATHER:
        text = f"For {_members(number)}, {role} becomes free: a grant without end each, which staff can revoke."
        label, style = f"Give to {number:,}", Style.MAIN
    else:
        text = (
            f"I tell {_members(number)} that they lose {role} in {NOTICE_DAYS} days (100 direct messages at most). "
            "Then the removals wait for your word at /doorlist brake."
        )
        label, style = f"Give notice to {number:,}", Style.SHARP
    args = (policy, holders.role_id, holders.set_hash)
    sure = Button(label=label, action="adopt-decide", args=args, style=style)
    others = Button(label="Other choices", action="adopt-ask", args=(holders.role_id,))
    return Card(title="People who already have the role", lines=(Text(text), Buttons((sure, others))), tone=Tone.WARN)


def _standing(status: Status) -> list[str]:
    paused = [] if status.paused_at is None else [f"⏸️ Paused since {date(status.paused_at)}: `/doorlist resume`"]
    away = (
        [] if status.is_available else ["⚠️ Discord shows this server as unavailable. Nothing is concluded from that."]
    )
    return paused + away


def _runs(status: Status) -> list[str]:
    """Say when each clock ran last, those that have not run yet by themselves."""
    ran = {name: at for name, at in status.last_runs.items() if at is not None}
    last = [f"Last run: {_moments(ran, status)}"] if ran else []
    return last + [f"The {name} run has not run yet." for name, at in status.last_runs.items() if at is None]


def _refused_lines(refused: Sequence[Refused]) -> Iterator[Line]:
    """Count what Discord refuses by its cause, and name whom it keeps waiting, most of them first."""
    by_cause: dict[tuple[Reason, tuple[RoleId, ...]], list[Refused]] = defaultdict(list)
    for each in refused:
        by_cause[each.reason, each.role_ids].append(each)
    for (reason, role_ids), theirs in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        facts = {"role_id": role_ids[0] if len(role_ids) == 1 else "", "plan": theirs[0].plan_name}
        named = " ".join(f"<@{each.user_id}>" for each in theirs[:NAMED_OF_REFUSED])
        more = f" and {len(theirs) - NAMED_OF_REFUSED:,} more" if len(theirs) > NAMED_OF_REFUSED else ""
        fix = staff_fix(reason, facts)
        text = f"⚠️ **{len(theirs):,} blocked**: {staff_sentence(reason, facts)}\n{named}{more}"
        why = Button(label="Why", action="member-why", args=(theirs[0].user_id,))
        yield Row(f"{text}\n-# Fix: {fix}" if fix else text, why)


def _moments(found: Mapping[str, datetime | None], status: Status) -> str:
    return " · ".join(
        f"{code_text(name)} {'never' if at is None else f'{span(status.now - at)} ago'}" for name, at in found.items()
    )


def _trouble(job: TroubledJob) -> Line:
    key = member_of(job)
    whom = "the whole server" if key is None else f"<@{key.user_id}>"
    tries = f"{job.attempts} {'try' if job.attempts == 1 else 'tries'}"
    next_try = "given up" if job.is_parked else f"again {date(job.due_at)}"
    rest = job.key.partition(":")[2]
    retry = Button(label="Try again", action="sync-retry", args=(job.kind, rest))
    return Row(f"{whom}: {answer_text(job.last_error)}\n-# {tries}, {next_try}", retry)


def _list(title: str, rows: Sequence[Line], number: int) -> list[Line]:
    if not rows:
        return []
    many = f"{number:,} or more" if number >= MOST else f"{number:,}"
    return [Text(f"**{title}** ({many})"), *rows[:ROWS_OF_EACH], *_more(number, ROWS_OF_EACH)]


def _more(number: int, shown: int) -> list[Line]:
    return [Text(f"… and {number - shown:,} more")] if number > shown else []


def _counted(holders: Mapping[RoleId, Holders | None]) -> list[tuple[RoleId, Holders | None]]:
    return [(role_id, each) for role_id, each in holders.items() if each is None or each.user_ids]


def _holding(role_id: RoleId, holders: Holders | None) -> Line:
    if holders is None:
        return Text(f"<@&{role_id}>: I could not count. Discord shows this only with the Server Members intent.")
    number = len(holders.user_ids)
    more = "" if holders.is_complete else " or more"
    decide = Button(label="Decide", action="adopt-ask", args=(role_id,))
    return Row(f"{_members(number)}{more} with <@&{role_id}>", decide)


def _lacking(each: Lacking) -> Line:
    why = f": {answer_text(each.why)}" if each.why else ""
    button = Button(label="Put right", action="member-refresh", args=(each.user_id,))
    return Row(f"<@{each.user_id}> lacks {role_mentions(each.role_ids)}{why}", button)


def _away(each: Away) -> Line:
    button = Button(label="Send the link again", action="member-resend", args=(each.user_id,))
    return Row(f"<@{each.user_id}> · {code_text(each.plan.name)}", button)


def _members(number: int) -> str:
    return "1 member" if number == 1 else f"{number:,} members"

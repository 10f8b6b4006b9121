"""A preview as people see it: who would get, lose and keep what, page by page and as a file. Pure, no discord.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cogs.cards import Attachment, Button, Buttons, Card, Divider, Download, Line, Row, Style, Text, Tone
from cogs.plan_words import changed_lines, people_text, roles_text, rule_lines, why_text
from cogs.words import code_text
from membership import csv_text
from membership.model import OnEnd, Plan, RoleId
from membership.plan_effects import Effect, Fate, Tally
from membership.preview import Differs, Shown

PER_PAGE = 20
NAMED_IN_DIFFERENCE = 10
CSV_NAME = "preview.csv"
_REASONS_NAMED = 3
_SIGNS: Mapping[Fate, str] = {Fate.GET: "+", Fate.LOSE: "−", Fate.MOVE: "~", Fate.BLOCKED: "!"}
_VERBS: Mapping[Fate, str] = {
    Fate.GET: "would get",
    Fate.LOSE: "would lose",
    Fate.MOVE: "would move",
    Fate.BLOCKED: "cannot be done",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What is said beside the numbers. `danger`: what has to be confirmed with it, "" for nothing.

    `products`: what unlocks the plan, in words.
    """

    lines: tuple[str, ...] = ()
    danger: str = ""
    products: tuple[str, ...] = ()


def counting_card(plan: Plan, tally: Tally) -> Card:
    """Show what was counted so far."""
    rest = f"Counting… {tally.done:,} of {people_text(tally.total)}. Nothing has been changed."
    return Card(title=_title(plan), lines=(*_rows(plan, tally, ""), Text(f"-# {rest}")), tone=Tone.NEWS)


def preview_card(shown: Shown, notes: Notes, expires_at: datetime) -> Card:
    """Show a complete preview, with the button that applies exactly this."""
    plan, tally = shown.plan, shown.tally
    changes = _changes(shown, notes)
    lines: list[Line] = [Text("\n".join(changes)), Divider()]
    lines += _rows(plan, tally, shown.id)
    lines += [Text(line) for line in _also(tally) + list(notes.lines)]
    if not plan.products and not plan.is_archived:
        lines.append(Text("⚠️ No product unlocks this plan, so nobody can buy it. Choose one with Edit."))
    if _is_kick_new(shown):
        lines.append(Text("⚠️ **A kick comes a day after the end and cannot be undone.**"))
    if tally.kicked:
        gone = f"{people_text(tally.kicked)} would be removed from the server a day later."
        lines.append(Text(f"⚠️ {gone} **Kicks cannot be undone.**"))
    if notes.danger:
        lines.append(Text(f"⚠️ {notes.danger}"))
    lines.append(Text(f"-# Nothing has been changed. Preview {shown.id[:4]}, good until {_clock(expires_at)}."))
    lines.append(Buttons(_buttons(shown, notes)))
    return Card(title=_title(plan), lines=tuple(lines), tone=Tone.WARN if notes.danger else Tone.NEWS)


def page_card(shown: Shown, fate: Fate, page: int) -> Card:
    """Show one page of the people to whom the same would happen."""
    everybody = shown.tally.number(fate)
    last = max(0, (everybody - 1) // PER_PAGE)
    page = max(0, min(page, last))
    people = shown.tally.of(fate, page * PER_PAGE, PER_PAGE)
    title = f"{_SIGNS[fate]} {everybody:,} {_VERBS[fate]}"
    turns = (
        Button(label="Back", action="plan-look", args=(shown.id,)),
        Button(label="Previous", action="plan-see", args=(shown.id, fate.value, page - 1), is_off=page == 0),
        Button(label="Next", action="plan-see", args=(shown.id, fate.value, page + 1), is_off=page == last),
    )
    text = "\n".join(_person(effect, shown.plan) for effect in people) or "Nobody."
    return Card(title=title, lines=(Text(text), Text(f"-# Page {page + 1} of {last + 1}"), Buttons(turns)))


def differs_card(differs: Differs, notes: Notes, expires_at: datetime) -> Card:
    """Show what has changed since the preview that was to be applied, and the new one."""
    plan = differs.shown.plan
    came = [f"now also: {_person(effect, plan)}" for effect in differs.appeared[:NAMED_IN_DIFFERENCE]]
    went = [f"no longer: {_person(effect, plan)}" for effect in differs.vanished[:NAMED_IN_DIFFERENCE]]
    more = len(differs.appeared) + len(differs.vanished) - len(came) - len(went)
    lines = [*came, *went, *([f"… and {more:,} more"] if more else [])]
    text = "**Nothing was done: the facts have changed since your preview.**\n" + "\n".join(lines)
    card = preview_card(differs.shown, notes, expires_at)
    return Card(title=card.title, lines=(Text(text), Divider(), *card.lines), tone=Tone.WARN)


def file_card(shown: Shown) -> Card:
    """Offer the list as a file."""
    number = shown.tally.size
    attachment = Attachment(file_name=CSV_NAME, content=csv_of(shown.tally.effects()), alt=f"{number} rows")
    text = f"Everybody in preview {shown.id[:4]}: {people_text(number)}."
    return Card(lines=(Text(text), Download(CSV_NAME)), files=(attachment,))


def csv_of(effects: Iterable[Effect]) -> bytes:
    """Write effects as CSV; what a spreadsheet would run is quoted as text."""
    return csv_text.write([("user_id", "what", "gets", "loses", "leaves_server", "why"), *map(_cells, effects)])


def _cells(effect: Effect) -> tuple[object, ...]:
    gets, loses = (" ".join(map(str, roles)) for roles in (effect.gained, effect.lost))
    return effect.user_id, effect.fate, gets, loses, "yes" if effect.is_kicked else "no", effect.why


def _title(plan: Plan) -> str:
    return f"Preview — plan {code_text(plan.name)}"


def _changes(shown: Shown, notes: Notes) -> list[str]:
    """Say what would be different about the plan, all of it when it is new, and what unlocks it."""
    plan, before = shown.plan, shown.before
    unlocked = f"**Unlocked by:** {'; '.join(map(code_text, notes.products)) or 'nothing yet'}"
    if before is not None:
        changed = changed_lines(before, plan)
        return [unlocked, *(changed or ["Nothing about the plan would change."])]
    roles = roles_text(plan.roles, plan.name) or "none: membership of the server alone"
    rules = [f"**{name}:** {text}" for name, text in rule_lines(plan)]
    return [f"**Roles:** {roles}", unlocked, *rules]


def _is_kick_new(shown: Shown) -> bool:
    """Say whether the plan would kick where it does not yet."""
    return _kicks(shown.plan) and (shown.before is None or not _kicks(shown.before))


def _kicks(plan: Plan) -> bool:
    return OnEnd.KICK in (plan.on_end, plan.on_refund)


def _rows(plan: Plan, tally: Tally, preview_id: str) -> list[Line]:
    rows: list[Line] = []
    for fate in Fate:
        number = tally.number(fate)
        if number:
            text = f"**{_SIGNS[fate]} {number:,}** {_what(fate, plan, tally)} · {_reasons(fate, tally)}"
            button = Button(label="See", action="plan-see", args=(preview_id, fate.value, 0))
            rows.append(Row(text, button) if preview_id else Text(text))
    is_about_nobody = bool(preview_id) and not rows and not tally.unchanged
    unchanged = "Nobody is touched: no member has this plan or would get it."
    return [*rows, Text(unchanged if is_about_nobody else f"**= {tally.unchanged:,}** unchanged")]


def _what(fate: Fate, plan: Plan, tally: Tally) -> str:
    """Name the roles where they are the same for all; one look at the first few tells."""
    few = tally.of(fate, 0, PER_PAGE)
    gained, lost = ({effect[place] for effect in few} for place in (2, 3))
    roles = _moves(fate, plan, few[0]) if len(gained) == len(lost) == 1 else "roles"
    return f"{_VERBS[fate]}" if fate is Fate.BLOCKED else f"{_VERBS[fate]} {roles}"


def _moves(fate: Fate, plan: Plan, effect: Effect) -> str:
    gained, lost = roles_text(effect.gained, plan.name), roles_text(effect.lost, plan.name)
    return f"{lost} → {gained}" if fate is Fate.MOVE else gained or lost or "their place in the server"


def _reasons(fate: Fate, tally: Tally) -> str:
    found = [(number, why) for (each, why), number in tally.reasons.items() if each is fate]
    found.sort(key=lambda pair: (-pair[0], pair[1]))
    named = [why_text(why) if len(found) == 1 else f"{number:,} {why_text(why)}" for number, why in found]
    return " · ".join(named[:_REASONS_NAMED])


def _also(tally: Tally) -> list[str]:
    if not tally.unlinked:
        return []
    number = "1 purchase unlocks" if tally.unlinked == 1 else f"{tally.unlinked:,} purchases unlock"
    return [f"{number} it and wait for somebody to connect Discord."]


def _person(effect: Effect, plan: Plan) -> str:
    roles: Sequence[tuple[str, tuple[RoleId, ...]]] = (("+", effect.gained), ("−", effect.lost))
    moves = " ".join(f"{sign}{roles_text(each, plan.name)}" for sign, each in roles if each)
    kicked = " · leaves the server" if effect.is_kicked else ""
    return f"<@{effect.user_id}> {moves} · {why_text(effect.why)}{kicked}"


def _buttons(shown: Shown, notes: Notes) -> tuple[Button, ...]:
    download = Button(label="Download CSV", action="plan-csv", args=(shown.id,), is_off=not shown.tally.size)
    if shown.plan == shown.before and not shown.tally.touched:
        return (download,)
    is_sharp = bool(notes.danger or shown.tally.kicked or _kicks(shown.plan))
    apply = Button(
        label=f"Use it anyway: {_deed(shown)}" if notes.danger else _deed(shown),
        action="plan-apply",
        args=(shown.id,),
        style=Style.SHARP if is_sharp else Style.MAIN,
    )
    return apply, download


def _deed(shown: Shown) -> str:
    """Name the deed with its number: what a confirming button says."""
    plan, before, touched = shown.plan, shown.before, shown.tally.touched
    if before is None:
        return "Create plan" if not touched else f"Create plan for {people_text(touched)}"
    if before.is_archived != plan.is_archived:
        verb = "Archive" if plan.is_archived else "Restore"
        return f"{verb} {plan.name}"[:40] + (f", change {people_text(touched)}" if touched else "")
    return f"Apply exactly this to {people_text(touched)}" if touched else "Apply exactly this"


def _clock(moment: datetime) -> str:
    return f"<t:{int(moment.timestamp())}:t>"

"""Small forms for one act of staff: what it does, what it needs, one button; and sending them, with their errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from membership.errors import UserError
from membership.model import UserId
from web.admin.entry_lines import names_of
from web.admin.grant_words import readable
from web.numbers import number_in
from web.visits import Form, StaffVisit

LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: `kind` is text, number, select or radios; `options` are pairs of value and text."""

    kind: str
    name: str
    label: str
    hint: str = ""
    value: str = ""
    options: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActForm:
    """A form of its own page. `lines` say what the act does; `is_sharp`: it takes something away."""

    title: str
    lines: Sequence[str]
    fields: Sequence[Field]
    button: str
    back: str
    is_sharp: bool = False


FormOf = Callable[[StaffVisit], Awaitable[ActForm]]
Act = Callable[[StaffVisit, Form], Awaitable[str]]
"""What an act is: it takes what was sent, and returns what to say. Raises Mistake and UserError."""


class Mistake(Exception):
    """What was typed into a field cannot be used."""

    def __init__(self, field: str, text: str) -> None:
        """Name the field, and say why."""
        super().__init__(text)
        self.field = field
        self.text = text


def show(visit: StaffVisit, form: ActForm) -> web.Response:
    """Show a form."""
    return visit.page("admin/act.html", form=form, values={}, errors={})


async def send(
    visit: StaffVisit, form: ActForm, act: Callable[[Form], Awaitable[str]], *, names: Mapping[int, str]
) -> web.Response:
    """Carry an act out and go back, saying what it came to; what cannot be done is said on the form."""
    sent = await visit.form()
    try:
        said = await act(sent)
    except Mistake as mistake:
        errors = {mistake.field: mistake.text}
    except UserError as refusal:
        errors = {form.fields[0].name if form.fields else "act": readable(visit.why(refusal), names)}
    else:
        return await visit.go(form.back, say=readable(said, names))
    values = {field.name: sent.text(field.name) for field in form.fields}
    return visit.page("admin/act.html", status=422, form=form, values=values, errors=errors)


async def known_names(visit: StaffVisit, *user_ids: int) -> Mapping[int, str]:
    """Return the names of these people and of the server's roles, by their number, for texts that mention them."""
    async with visit.store.read() as tx:
        people = await names_of(tx, visit.guild.id, [UserId(user_id) for user_id in user_ids])
    roles = visit.services.discord.roles(visit.guild.id).values()
    return {int(user): name for user, name in people.items()} | {int(role.role_id): f"@{role.name}" for role in roles}


def days_of(visit: StaffVisit, form: Form, *, may_be_empty: bool = False) -> int | None:
    """Read a number of days, None for an empty field. Raises Mistake."""
    text = form.text("days")
    if not text and may_be_empty:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= LONGEST_DAYS):
        raise Mistake("days", visit.words.say("Use a number of days from 1 to {most}.", most=LONGEST_DAYS))
    return int(text)


def user_of(visit: StaffVisit, form: Form) -> int:
    """Read a Discord user's number. Raises Mistake."""
    number = number_in(form.text("user").removeprefix("<@").removesuffix(">").removeprefix("!"))
    if not number:
        raise Mistake(
            "user",
            visit.words.say(
                "That is no Discord user ID. In Discord, right-click the person and choose Copy User ID "
                "(Settings, Advanced, Developer Mode)."
            ),
        )
    return number


def reason_field(visit: StaffVisit) -> Field:
    """Return the field for the reason of an act."""
    words = visit.words
    return Field(kind="text", name="reason", label=words.say("Reason"), hint=words.say("For the record; optional"))

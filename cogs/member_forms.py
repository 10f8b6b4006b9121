"""The forms that the buttons of a member's card open. Pure; what is sent is read in member_acts."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.cards import Field, Form, Option, Shape
from cogs.durations import FOREVER
from cogs.member_words import plain_label
from membership.comps import RevokeWhen
from membership.model import Plan, UserId
from membership.shown import ShownGrant

MOST_OPTIONS = 25
_REASON = Field(name="reason", label="Reason", about="For the record; the member does not see it", is_needed=False)


def grant_form(user_id: UserId, plans: Sequence[Plan]) -> Form:
    """Ask what to give, for how long and why."""
    options = tuple(Option(label=plan.name, value=str(plan.id)) for plan in plans[:MOST_OPTIONS])
    fields = (
        Field(name="plan", label="Plan", shape=Shape.OPTIONS, options=options),
        Field(name="for", label="For how long", value="30d", placeholder=f"30d, 1 year, 2026-12-24, {FOREVER}"),
        _REASON,
    )
    return Form(title="Give a plan", action="member-grant", args=(user_id,), fields=fields)


def extend_form(user_id: UserId, grants: Sequence[ShownGrant]) -> Form:
    """Ask which grant to extend, and by how many days."""
    days = Field(name="days", label="Free days", value="7", longest=4)
    return Form(
        title="Add free days", action="member-extend", args=(user_id,), fields=(_grant_field(grants), days, _REASON)
    )


def revoke_form(user_id: UserId, grants: Sequence[ShownGrant]) -> Form:
    """Ask which grant to end, and when."""
    when = Field(
        name="when",
        label="When",
        shape=Shape.RADIO,
        options=(
            Option(label="At the end of what is paid", value=RevokeWhen.PERIOD_END.value, is_chosen=True),
            Option(label="Now", value=RevokeWhen.NOW.value, about="Asks once more"),
        ),
    )
    return Form(
        title="End a grant", action="member-revoke", args=(user_id,), fields=(_grant_field(grants), when, _REASON)
    )


def move_form(user_id: UserId) -> Form:
    """Ask where to move a membership."""
    to = Field(
        name="to",
        label="To which Discord account",
        about="The old account loses its roles, the new one gets them",
        shape=Shape.USERS,
    )
    return Form(title="Move the membership", action="member-move", args=(user_id,), fields=(to, _REASON))


def exempt_form(user_id: UserId) -> Form:
    """Ask until when to leave somebody alone."""
    until = Field(
        name="until",
        label="Until",
        about="Empty: until somebody looks after them again, at most as long as you may",
        placeholder="30d, 1 year, 2026-12-24",
        is_needed=False,
    )
    return Form(title="Never touch their roles", action="member-exempt", args=(user_id,), fields=(until, _REASON))


def _grant_field(grants: Sequence[ShownGrant]) -> Field:
    options = tuple(
        Option(label=plain_label(grant), value=str(grant.grant.id), is_chosen=number == 0)
        for number, grant in enumerate(grants[:MOST_OPTIONS])
    )
    return Field(name="grant", label="Grant", shape=Shape.OPTIONS, options=options)

"""What is pressed on the cards of `/member`, and the forms they open. Ids in a press may be forged."""

from __future__ import annotations

from collections.abc import Sequence

from cogs import member_answers as answers
from cogs import member_forms as forms
from cogs.frame import Frame
from cogs.requests import Request
from membership.comps import RevokeWhen
from membership.errors import UserError
from membership.model import CustomerId, RoleId, UserId
from membership.resending import Via
from membership.search import LARGEST_ID
from membership.shown import ShownGrant


def register(frame: Frame) -> None:
    """Let every button and form of a member's cards be answered."""
    frame.on("member-card", lambda request: answers.show_card(request, _user(request)))
    frame.on("member-why", _why)
    frame.on("member-history", _history)
    frame.on("member-refresh", lambda request: answers.refresh(request, _user(request)))
    frame.on("member-grant-form", _ask_grant)
    frame.on("member-grant", _grant)
    frame.on("member-extend-form", _ask_extend)
    frame.on("member-extend", _extend)
    frame.on("member-revoke-form", _ask_revoke)
    frame.on("member-revoke", _revoke)
    frame.on("member-revoke-now", lambda request: answers.revoke_now(request, request.args[0] if request.args else ""))
    frame.on("member-move-form", lambda request: request.ask(forms.move_form(_user(request))))
    frame.on("member-move", _move)
    frame.on("member-exempt-form", lambda request: request.ask(forms.exempt_form(_user(request))))
    frame.on("member-exempt", _exempt)
    frame.on("member-lift", lambda request: answers.lift(request, _user(request)))
    frame.on("member-resend", lambda request: answers.resend_to_member(request, _user(request)))
    frame.on("member-resend-customer", _resend)


async def _why(request: Request) -> None:
    role_id = RoleId(_number(request, 1)) if len(request.args) > 1 else None
    await answers.show_why(request, _user(request), role_id)


async def _history(request: Request) -> None:
    since = answers.since_at(_number(request, 2))
    await answers.show_history(request, _user(request), since=since, number=_number(request, 1))


async def _ask_grant(request: Request) -> None:
    plans = await answers.open_plans(request)
    if not plans:
        raise UserError("There is no plan to give yet. Somebody with Manage Server makes one with /plan create.")
    await request.ask(forms.grant_form(_user(request), plans))


async def _grant(request: Request) -> None:
    plan = await answers.plan_of(request, request.field("plan"))
    await answers.grant(request, _user(request), plan, request.field("for"), request.field("reason"))


async def _ask_extend(request: Request) -> None:
    user_id = _user(request)
    await request.ask(forms.extend_form(user_id, await _some_grants(request, user_id)))


async def _extend(request: Request) -> None:
    user_id, typed = _user(request), request.field("days").strip()
    if not typed.isdecimal():
        raise UserError("The number of days has to be a number, such as 7.")
    grant_id = await answers.grant_of(request, user_id, request.field("grant"))
    await answers.extend(request, user_id, grant_id, int(typed), request.field("reason"))


async def _ask_revoke(request: Request) -> None:
    user_id = _user(request)
    await request.ask(forms.revoke_form(user_id, await _some_grants(request, user_id)))


async def _revoke(request: Request) -> None:
    user_id = _user(request)
    grant_id = await answers.grant_of(request, user_id, request.field("grant"))
    is_now = request.field("when") == RevokeWhen.NOW.value
    when = RevokeWhen.NOW if is_now else RevokeWhen.PERIOD_END
    await answers.revoke(request, user_id, grant_id, when=when, reason=request.field("reason"))


async def _move(request: Request) -> None:
    to = request.field("to")
    if not to.isdecimal():
        raise UserError("Choose the account to move to.")
    await answers.move(request, _user(request), UserId(int(to)), request.field("reason"))


async def _exempt(request: Request) -> None:
    await answers.exempt(request, _user(request), request.field("until"), request.field("reason"))


async def _resend(request: Request) -> None:
    await answers.resend(request, CustomerId(_number(request, 0)), Via.MAIL)


async def _some_grants(request: Request, user_id: UserId) -> Sequence[ShownGrant]:
    grants = await answers.open_grants(request, user_id)
    if not grants:
        raise UserError(f"<@{user_id}> has nothing here that has not ended.")
    return grants


def _user(request: Request) -> UserId:
    return UserId(_number(request, 0))


def _number(request: Request, position: int) -> int:
    """Read a number of a press. Raises UserError for what we never put there."""
    text = request.args[position] if position < len(request.args) else ""
    if not text.isdecimal() or int(text) >= LARGEST_ID:
        raise UserError("This is from an older version of Doorlist. Use the command again.")
    return int(text)

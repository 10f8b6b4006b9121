"""Who comes to the pages, and what each is to get from a page that asks for a right: the matrix in one function."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from membership.model import UserId
from tests.pages.cast import FRED
from tests.pages.stage import MANAGER, OPERATOR, OWNER, STAFF, PageStage, Visitor
from tests.usecases.world import CHARLIE, DORA
from web.rights import Right


class Who(StrEnum):
    """The actors of the matrix, in the order of what they may."""

    ANONYMOUS = "anonymous"
    CUSTOMER = "customer"
    OTHER_CUSTOMER = "other customer"
    NEIGHBOUR = "staff of another guild"
    STAFF = "Manage Roles"
    MANAGER = "Manage Server"
    OWNER = "owner"
    OPERATOR = "operator"


class Get(StrEnum):
    """What comes of a request: the page, the door to sign in at, refused, or nothing here."""

    PAGE = "page"
    DOOR = "door"
    REFUSED = "refused"
    NOTHING = "nothing here"


_STAFF: Mapping[Who, UserId] = {
    Who.NEIGHBOUR: FRED,
    Who.STAFF: STAFF,
    Who.MANAGER: MANAGER,
    Who.OWNER: OWNER,
    Who.OPERATOR: OPERATOR,
}
_CUSTOMERS: Mapping[Who, UserId] = {Who.CUSTOMER: CHARLIE, Who.OTHER_CUSTOMER: DORA}
_POWER: Mapping[Who, int] = {Who.STAFF: 1, Who.MANAGER: 2, Who.OWNER: 3}
_NEEDS: Mapping[Right, int] = {Right.STAFF: 1, Right.MANAGER: 2, Right.DATA: 3}


def due_to(who: Who, right: Right, *, is_theirs: bool = True) -> Get:
    """Return what somebody gets; `is_theirs`: what the address names belongs to the customer Charlie."""
    match right:
        case Right.ANYONE:
            return Get.PAGE
        case Right.CUSTOMER if who in _CUSTOMERS:
            return Get.PAGE if who is Who.CUSTOMER or not is_theirs else Get.NOTHING
        case Right.DESK if who in _STAFF:
            return Get.PAGE
        case Right.OPERATOR if who in _STAFF:
            return Get.PAGE if who is Who.OPERATOR else Get.NOTHING
        case Right.STAFF | Right.MANAGER | Right.DATA if who in _STAFF:
            if who not in _POWER:
                return Get.NOTHING
            return Get.PAGE if _POWER[who] >= _NEEDS[right] else Get.REFUSED
        case _:
            return Get.DOOR


def door_of(right: Right) -> str:
    return "/sign-in" if right is Right.CUSTOMER else "/admin/sign-in"


def who_may(right: Right) -> Who:
    """Return the weakest actor who gets such a page."""
    return next(who for who in Who if due_to(who, right) is Get.PAGE)


async def as_actor(stage: PageStage, who: Who) -> Visitor:
    """Return a new browser of an actor."""
    if who in _CUSTOMERS:
        user_id = _CUSTOMERS[who]
        return await stage.customer(user_id=user_id, email=f"user{user_id}@example.com")
    return await stage.staff_member(_STAFF[who]) if who in _STAFF else await stage.stranger()

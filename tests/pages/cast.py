"""Who and what is in the furnished world: ids, and every name that somebody chose for them."""

from __future__ import annotations

from membership.model import GuildId, RoleId, UserId
from tests.pages.stage import MANAGER, OWNER, STAFF
from tests.usecases.world import (
    ADMIN,
    ALICE,
    CHARLIE,
    CLAIM_CHANNEL,
    DORA,
    EVENT_CHANNEL,
    FRIEND,
    GOLD,
    LATE,
    TRIAL,
    VIP,
)

NEXT_DOOR, EVE, FRED = GuildId(200), UserId(60), UserId(61)
SECOND = GuildId(300)
"""Another server of the same owner, where plans can be carried to."""
REGULAR, LOUNGE, TEACHER, SECOND_ROLE = RoleId(31), RoleId(41), RoleId(42), RoleId(310)
STATES = {
    UserId(20 + number): name
    for number, name in enumerate(
        ("Trixi", "Enno", "Paul", "Fatima", "Henri", "Dispo", "Rufus", "Ulla", "Juno", "Rita", "Gina", "Xenia")
    )
}
TRIXI, ENNO, PAUL, FATIMA, HENRI, DISPO, RUFUS, ULLA, JUNO, RITA, GINA, XENIA = STATES
NAMES: dict[int, str] = {
    VIP: "Insiders",
    GOLD: "Golden Circle",
    LATE: "Past Due",
    TRIAL: "On Trial",
    FRIEND: "Supporters",
    ADMIN: "Headquarters",
    LOUNGE: "Lounge",
    TEACHER: "Course 2026",
    REGULAR: "Regulars Nextdoor",
    SECOND_ROLE: "Seconders",
    EVENT_CHANNEL: "membership-log",
    CLAIM_CHANNEL: "get-access",
    ALICE: "alice.w",
    OWNER: "olga.owner",
    MANAGER: "max.manager",
    STAFF: "sam.staff",
    CHARLIE: "charlie.b",
    DORA: "dora.m",
    EVE: "eve.nextdoor",
    FRED: "fred.nextdoor",
    **{user: f"{name.lower()}.x" for user, name in STATES.items()},
}
TYPED = {
    "server": "Ada's Trading Room",
    "server next door": "Next Door Club",
    "second server": "Second Trading Room",
    "plan": "Inner Circle",
    "reason": "because Olga said so",
    "note": "always friendly on the phone",
    "label": "summer-raffle",
    "imprint": "Ada GmbH, Street 1, 1010 Wien",
    "support": "help@ada.example",
    "subject": "Welcome to our inner room",
    "intro": "We are glad that you are here.",
    "product": "Trading Alerts Monthly",
}

"""The rules that are the same for every plan and guild, with safe defaults. One section of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What bounds and paces the membership core. Durations are in the unit that the name ends with.

    Raises ValueError for a number that makes no sense.
    """

    reminder_hours: tuple[int, ...] = (1, 24, 72, 168)
    """When to remind a buyer who has not connected, counted from the purchase."""
    code_days: int = 30
    """How long a claim code and a mailed link work."""
    claim_tries: int = 5
    """Wrong codes that one person may try in claim_window_minutes."""
    claim_window_minutes: int = 10
    """The window of claim_tries."""
    moves_per_30_days: int = 2
    """How often a customer may move a purchase to another Discord account."""
    link_by_verified_email: bool = True
    """Connect a purchase at once when Discord calls the buyer's address verified; else by a mailed link or a code."""
    brake_removals: int = 10
    """Evidenced role removals that go through in 24 hours per guild without asking, at least."""
    brake_removal_percent: int = 10
    """The same as a share of the paying members; the larger of the two counts."""
    brake_kicks: int = 3
    """Kicks that go through in 24 hours per guild without asking, at least."""
    brake_kick_percent: int = 2
    """The same as a share of the paying members; the larger of the two counts."""
    repairs_per_day: int = 3
    """How often a role that a person took away by hand is put back before we hold and tell staff."""
    sweep_members: int = 10_000
    """Members that one sweep looks at per guild, those seen longest ago first."""
    mails_per_hour: int = 3
    """Mails to one address in an hour."""
    mails_per_day: int = 10
    """Mails to one address in a day."""
    staff_max_grant_days: int = 31
    """The longest comp that staff without Manage Server may give."""
    job_attempts: int = 12
    """Failures after which a job is parked for a person to look at."""
    reconcile_minutes: int = 5
    """How often every guild is compared with what was paid."""

    def __post_init__(self) -> None:
        """Refuse negative numbers, shares above the whole, and reminders out of order."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 0:
                raise ValueError(f"{field.name} must not be negative")
            if field.name.endswith("_percent") and value > 100:
                raise ValueError(f"{field.name} must be 0 to 100")
        if any(hours < 1 for hours in self.reminder_hours) or sorted(set(self.reminder_hours)) != [
            *self.reminder_hours
        ]:
            raise ValueError("reminder_hours must be hours from 1 up, each later than the one before")
        if self.reconcile_minutes < 1:
            raise ValueError("reconcile_minutes must be at least 1")


POLICY_WORDS: Mapping[str, str] = {
    "reminder_hours": "Reminders to connect, hours after the purchase",
    "code_days": "Days that a claim code and a mailed link work",
    "claim_tries": "Wrong codes that one person may try",
    "claim_window_minutes": "Minutes in which wrong codes are counted",
    "moves_per_30_days": "Moves of a purchase to another account in 30 days",
    "link_by_verified_email": "Connect at once by the address that Discord calls verified",
    "brake_removals": "Removals in 24 hours that need no person",
    "brake_removal_percent": "The same in percent of the paying members (the larger counts)",
    "brake_kicks": "Kicks in 24 hours that need no person",
    "brake_kick_percent": "The same in percent of the paying members (the larger counts)",
    "repairs_per_day": "How often a day a role taken by hand is put back",
    "sweep_members": "Members looked at in one run",
    "mails_per_hour": "Mails to one address in an hour",
    "mails_per_day": "Mails to one address in a day",
    "staff_max_grant_days": "Free days that staff without Manage Server may give",
    "job_attempts": "Failed tries after which a person has to look",
    "reconcile_minutes": "Minutes between two runs",
}
"""What each rule is about, for people."""

"""The numbers the operator may choose: how patient, how generous and how careful Doorlist is."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


def _choice(default: int, about: str, *, least: int = 0, most: int = 10_000) -> int:
    """Return a field whose meaning is printed in config.example.toml and whose bounds are checked."""
    choice: int = field(default=default, metadata={"about": about, "least": least, "most": most})
    return choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One operator's choices. Raises ValueError for a number outside its bounds."""

    reminder_hours: tuple[int, ...] = field(
        default=(1, 24, 72, 168),
        metadata={"about": "after a purchase nobody has linked yet, a reminder goes out after so many hours"},
    )
    code_days: int = _choice(30, "a claim code works for so many days", least=1, most=365)
    code_tries: int = _choice(5, "wrong codes a person may try in ten minutes", least=1, most=100)
    moves_per_30_days: int = _choice(2, "how often a purchase may change to another Discord account", most=100)
    brake_removals: int = _choice(10, "removals in 24 hours and one server that need no person to agree ...")
    brake_percent: int = _choice(10, "... or this share of the paying members, if that is more", most=100)
    brake_kicks: int = _choice(3, "kicks in 24 hours and one server that need no person to agree ...")
    brake_kick_percent: int = _choice(2, "... or this share of the paying members, if that is more", most=100)
    release_minutes: int = _choice(30, "a shown list of held removals may be released for so long", least=1, most=1440)
    repairs_per_day: int = _choice(3, "how often a role that somebody took away by hand is put back", most=100)
    evidence_seconds: int = _choice(30, "how fresh the provider's word must be before a role goes", least=1, most=3600)
    reconcile_minutes: int = _choice(5, "how often every server is compared", least=1, most=60)

    def __post_init__(self) -> None:
        """Check the bounds that each choice names."""
        for choice in fields(self):
            value, bounds = getattr(self, choice.name), choice.metadata
            if "least" in bounds and not bounds["least"] <= value <= bounds["most"]:
                raise ValueError(f"{choice.name} must be between {bounds['least']} and {bounds['most']}")
        if any(hours < 1 for hours in self.reminder_hours) or sorted(set(self.reminder_hours)) != [
            *self.reminder_hours
        ]:
            raise ValueError("reminder_hours must be hours of at least 1, each later than the one before")

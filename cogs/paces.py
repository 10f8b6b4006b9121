"""How fast Doorlist may go at Discord, and people at Doorlist. Who keeps to it: pacing.py, queries.py, frame.py."""

from __future__ import annotations

from dataclasses import dataclass, field

from cogs.pacing import RoleLimits
from cogs.queries import QUERIES_PER_MINUTE

STAFF_PRESSES = 10
MEMBER_PRESSES = 20
"""What one person may type and press in ten seconds, of staff's things and of everybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """All of them; others than these only where the outside runs on scaled time: sandbox, tests, benchmarks."""

    roles: RoleLimits = field(default_factory=RoleLimits)
    queries_per_minute: int = QUERIES_PER_MINUTE
    staff_presses: int = STAFF_PRESSES
    member_presses: int = MEMBER_PRESSES

    def faster(self, times: float) -> Paces:
        """Return paces of a world in which time passes so many times faster."""
        return Paces(
            roles=RoleLimits(
                seconds=self.roles.seconds / times, starts_per_second=round(self.roles.starts_per_second * times)
            ),
            queries_per_minute=round(self.queries_per_minute * times),
            staff_presses=round(self.staff_presses * times),
            member_presses=round(self.member_presses * times),
        )

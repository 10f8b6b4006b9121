"""What goes wrong outside, on demand: refusals, lies, late effects, and the end of the process at a chosen step."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass


class CrashNow(BaseException):
    """The process was killed. Not an Exception: nothing in Doorlist may survive it."""


class Fuse:
    """Counts the steps of a story and ends the process at the chosen one; once blown, nothing moves any more."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.blows_at: int | None = None

    def step(self, name: str) -> None:
        if self.blows_at is not None and len(self.steps) >= self.blows_at:
            raise CrashNow(name)
        self.steps.append(name)

    def mend(self) -> None:
        self.blows_at = None


@dataclass(frozen=True)
class Fault:
    """One wrong answer: an error (`is_late`: after the effect), or with none a success without any effect."""

    error: Exception | None = None
    is_late: bool = False


class Faults:
    """The wrong answers that wait for each call, and a record of the calls."""

    def __init__(self, fuse: Fuse) -> None:
        self.calls: list[tuple[object, ...]] = []
        self._fuse = fuse
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._standing: dict[str, Fault] = {}

    def fails(self, call: str, *errors: Exception, late: bool = False) -> None:
        """Answer the next calls with these errors, one each."""
        self._next[call].extend(Fault(error, late) for error in errors)

    def fails_always(self, call: str, error: Exception) -> None:
        """Answer every call with this error until `mend`."""
        self._standing[call] = Fault(error)

    def lies(self, call: str) -> None:
        """Accept the next call and do nothing."""
        self._next[call].append(Fault())

    def mend(self) -> None:
        self._next.clear()
        self._standing.clear()

    def before(self, call: str, *arguments: object) -> Fault | None:
        """Note a call and raise what was ordered for it; a returned fault is for `after`."""
        self._fuse.step(f"before {call}")
        self.calls.append((call, *arguments))
        waiting = self._next[call]
        fault = waiting.popleft() if waiting else self._standing.get(call)
        if fault is not None and fault.error is not None and not fault.is_late:
            raise fault.error
        return fault

    def after(self, call: str, fault: Fault | None) -> None:
        self._fuse.step(f"after {call}")
        if fault is not None and fault.error is not None:
            raise fault.error

    def of(self, *names: str) -> list[tuple[object, ...]]:
        """Return the noted calls of these names, in order."""
        return [call for call in self.calls if call[0] in names]

"""Everything the local Stripe knows: tables of objects, ids, the time, and the events that changes leave behind.

Objects are JSON documents. A nested value is always replaced, never changed in place, so that an old copy stays true.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.clock import MovableClock
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import missing
from sandbox.stripe.settings import Settings
from sandbox.stripe.shapes import Object

_ALPHABET = string.ascii_letters + string.digits
_NO_CLOCK = ""

# What the object's own name is in an event type, where it is not the `object` value.
_EVENT_NAMES = {"subscription": "customer.subscription", "dispute": "charge.dispute"}


class Table:
    """Objects of one kind in the order of their creation, with cursors in constant time."""

    def __init__(self) -> None:
        self.rows: list[Object] = []
        self.position: dict[str, int] = {}

    def add(self, row: Object) -> None:
        """Append `row` under its id."""
        self.position[row["id"]] = len(self.rows)
        self.rows.append(row)

    def find(self, object_id: str) -> Object | None:
        """Return the object with that id, or None."""
        at = self.position.get(object_id)
        return None if at is None else self.rows[at]


class World:
    """One Stripe account. The modules beside this one are the rules by which it changes."""

    def __init__(self, clock: MovableClock, *, settings: Settings, livemode: bool, seed: int | None) -> None:
        """Start empty; `seed` makes the ids repeatable."""
        self.clock = clock
        self.settings = settings
        self.livemode = livemode
        self.base_url = "http://127.0.0.1"
        self.request: Object = {"id": None, "idempotency_key": None}
        self.cards: dict[str, Card] = {}
        self.charged: set[str] = set()
        self.hidden: dict[str, Object] = {}
        self.touched: list[Object] = []
        self.on_event: Callable[[str, Object, Object | None], None] = lambda kind, subject, previous: None
        self._tables: dict[str, Table] = {}
        self._random = random.Random(seed)  # noqa: S311 - ids of a sandbox are not secrets
        self._as_of: dict[str, int] = {}

    def now(self, test_clock: str | None = None) -> int:
        """Return the current second; of a test clock when one is named, of a due moment while it is being played."""
        moment = self._as_of.get(test_clock or _NO_CLOCK)
        if moment is not None:
            return moment
        if test_clock:
            frozen: int = self.get("test_helpers.test_clock", test_clock)["frozen_time"]
            return frozen
        return int(self.clock.now().timestamp())

    def play_as_of(self, moment: int | None, test_clock: str | None = None) -> None:
        """Let `now` answer `moment` until it is called again with None."""
        if moment is None:
            self._as_of.pop(test_clock or _NO_CLOCK, None)
        else:
            self._as_of[test_clock or _NO_CLOCK] = moment

    def wall_time(self) -> datetime:
        """Return the sandbox clock's time, whatever moment is being played."""
        return self.clock.now().astimezone(UTC)

    def new_id(self, prefix: str, length: int = 24) -> str:
        """Return a fresh id such as `sub_1Qx...`."""
        return prefix + "1" + "".join(self._random.choices(_ALPHABET, k=length - 1))

    def table(self, kind: str) -> Table:
        """Return the table of that kind of object."""
        return self._tables.setdefault(kind, Table())

    def rows(self, kind: str) -> list[Object]:
        """Return all objects of a kind, oldest first."""
        return self.table(kind).rows

    def find(self, kind: str, object_id: str | None) -> Object | None:
        """Return the object, or None."""
        return self.table(kind).find(object_id) if object_id else None

    def get(self, kind: str, object_id: str | None, *, param: str = "") -> Object:
        """Return the object. Raises Refusal: 404, or 400 when the id came in as the parameter `param`."""
        found = self.find(kind, object_id)
        if found is None:
            noun = kind.rpartition(".")[2].replace("_", " ")
            raise missing(noun, object_id or "", status=400 if param else 404, param=param or "id")
        return found

    def add(self, document: Object, event: str | None = "created") -> Object:
        """Store a new object and emit `<kind>.created` (or another verb; None for silence)."""
        self.table(document["object"]).add(document)
        self.touched.append(document)
        if event:
            self.emit(event, document)
        return document

    def update(self, document: Object, *, event: str | None = "updated", **changes: Any) -> Object:
        """Change an object and, if anything differs, emit `<kind>.<event>` with the previous values."""
        previous = {name: document.get(name) for name, value in changes.items() if document.get(name) != value}
        document.update(changes)
        if previous:
            self.touched.append(document)
            if event:
                self.emit(event, document, previous)
        return document

    def emit(self, verb: str, subject: Object, previous: Object | None = None) -> None:
        """Announce `<kind>.<verb>`; a verb that holds a dot is the whole type."""
        name = _EVENT_NAMES.get(subject["object"], subject["object"])
        self.on_event(verb if verb.count(".") else f"{name}.{verb}", subject, previous)

    def secrets_of(self, object_id: str) -> Object:
        """Return the notes about an object that Stripe keeps to itself (what to do on payment, whom it notified)."""
        return self.hidden.setdefault(object_id, {})

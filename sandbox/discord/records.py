"""What was asked and answered: a bounded log of requests, counts per route, whole exchanges when wanted."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

REQUESTS_KEPT = 10_000
EXCHANGES_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One request and the status it got; status 0 means that the connection was cut or left hanging."""

    method: str
    path: str
    status: int
    body: Any
    headers: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer in full; `template` is the path with its parameters in braces."""

    method: str
    template: str
    request: Any
    status: int
    response: Any
    is_faulty: bool = False


class Records:
    """The memory of the REST side."""

    def __init__(self) -> None:
        self.requests: deque[RequestRecord] = deque(maxlen=REQUESTS_KEPT)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.exchanges: deque[Exchange] = deque(maxlen=EXCHANGES_KEPT)
        self.keeps_exchanges = False

"""Interactions from the user's click to the bot's last edit: what was sent, what came back, and the deadlines.

Building the payloads is in invocations.py, the bot's answers arrive through rest/answers.py.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.discord import errors
from sandbox.discord.screen import visible_text
from sandbox.discord.world import Channel, Json, Message, User, World

FIRST_ANSWER_SECONDS = 3.0
TOKEN_LIFETIME = timedelta(minutes=15)
INTERACTIONS_KEPT = 5_000

PING, COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 1, 2, 3, 4, 5


@dataclass(slots=True, kw_only=True, eq=False)
class Interaction:
    """One interaction and everything the bot answered to it.

    `message` is what was clicked, `form` the interaction whose answer was the submitted form.
    `messages` holds the first answer and the follow-ups as they are now, ephemeral ones included; `modal` the form and
    `choices` the autocomplete suggestions, if that was the answer. `answer_kind` is Discord's callback type.
    """

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    data: Json
    created_at: datetime
    started_at: float
    message: Message | None = None
    form: Interaction | None = None
    answer_kind: int | None = None
    original: Message | None = None
    messages: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None
    is_loading: bool = False
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_acknowledged(self) -> bool:
        """Say whether the bot sent its callback."""
        return self.answer_kind is not None

    @property
    def text(self) -> str:
        """Return everything that is written on the answers, a line each."""
        return "\n".join(filter(None, (visible_text(message) for message in self.messages)))

    def mark_answered(self) -> None:
        """Wake whoever waits for something to look at."""
        self._answered.set()

    async def answered(self, timeout_seconds: float = 5.0) -> Interaction:
        """Wait until there is more to see than "thinking", and return itself. Raises TimeoutError."""
        async with asyncio.timeout(timeout_seconds):
            await self._answered.wait()
        return self


class Interactions:
    """The interactions of the last while."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}
        self.first_answer_seconds = FIRST_ANSWER_SECONDS

    def open(
        self, kind: int, user: User, channel: Channel, data: Json, *, message: Message | None = None
    ) -> Interaction:
        """Start an interaction."""
        interaction = Interaction(
            id=self._world.ids.next(),
            token=secrets.token_urlsafe(60),
            kind=kind,
            user=user,
            channel=channel,
            data=data,
            created_at=self._world.clock.now(),
            started_at=time.monotonic(),
            message=message,
        )
        self._by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        if len(self._by_id) > INTERACTIONS_KEPT:
            oldest = self._by_id.pop(next(iter(self._by_id)))
            del self._by_token[oldest.token]
        return interaction

    def awaiting_answer(self, interaction_id: int, token: str) -> Interaction:
        """Return the interaction that a callback is for. Raises ApiError 10062 when unknown or late, 40060 twice."""
        interaction = self._by_id.get(interaction_id)
        if interaction is None or interaction.token != token:
            raise errors.unknown("interaction")
        if interaction.is_acknowledged:
            raise errors.ApiError(400, 40060, "Interaction has already been acknowledged.")
        if time.monotonic() - interaction.started_at > self.first_answer_seconds:
            raise errors.unknown("interaction")
        return interaction

    def with_token(self, token: str) -> Interaction:
        """Return an acknowledged interaction by token. Raises ApiError 10015 unknown, 50027 after 15 minutes."""
        interaction = self._by_token.get(token)
        if interaction is None or not interaction.is_acknowledged:
            raise errors.unknown("Webhook")
        if self._world.clock.now() - interaction.created_at > TOKEN_LIFETIME:
            raise errors.ApiError(401, 50027, "Invalid Webhook Token")
        return interaction

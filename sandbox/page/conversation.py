"""What people and the bot say in private: answers only one person sees, the open form, the command being typed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sandbox.discord.filling import Value
from sandbox.discord.interactions import Interaction
from sandbox.discord.offers import Offer
from sandbox.discord.world import Channel, Message, User

ANSWERS_KEPT = 100

Suggestions = dict[str, dict[str, Value]]


@dataclass(slots=True, kw_only=True)
class CommandDraft:
    """A command that is being typed; `suggested` are the names and values that the bot suggested, option by option."""

    offer: Offer
    user: User
    typed: dict[str, str] = field(default_factory=dict)
    suggested: Suggestions = field(default_factory=dict)


class Conversation:
    """The page's memory of everybody's talk with the bot."""

    def __init__(self) -> None:
        self.draft: CommandDraft | None = None
        self.form: Interaction | None = None
        self.filled: dict[str, list[str]] = {}
        self._asked: deque[Interaction] = deque(maxlen=ANSWERS_KEPT)
        self._dismissed: set[int] = set()

    def keep(self, asked: Interaction) -> None:
        """Remember something that was asked, for its private answers; an answer that is a form opens."""
        self._asked.append(asked)
        if asked.modal is not None:
            self.open_form(asked)

    def open_form(self, asked: Interaction | None) -> None:
        """Open a form, or close the one that is open."""
        self.form, self.filled = asked, {}

    def put_away(self) -> None:
        """Close whatever is open below the messages."""
        self.draft = None
        self.open_form(None)

    def draft_of(self, user: User) -> CommandDraft | None:
        """Return the command that a person is typing."""
        return self.draft if self.draft and self.draft.user is user else None

    def form_of(self, user: User) -> Interaction | None:
        """Return the form that a person has open."""
        return self.form if self.form and self.form.user is user else None

    def private_answers(self, user: User, channel: Channel) -> list[Message]:
        """Return the answers that only this person sees in a channel, as they are now, oldest first."""
        found = {
            message.id: message
            for asked in self._asked
            if asked.user is user and asked.channel is channel
            for message in asked.messages
            if message.is_ephemeral and not message.is_deleted and message.id not in self._dismissed
        }
        return [found[key] for key in sorted(found)]

    def dismiss(self, message: Message) -> None:
        """Put a private answer out of sight."""
        self._dismissed.add(message.id)

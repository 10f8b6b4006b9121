"""Who asks for something: a person in one guild, with what they may do there. The edge decides it at every click."""

from __future__ import annotations

from dataclasses import dataclass

from membership.model import GuildId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person acting in one guild; whatever they name is looked up inside `guild_id`.

    `can_staff`: Manage Roles; `can_manage`: Manage Server; `can_data`: Administrator, so that they may see whole
    e-mail addresses; `is_operator`: runs this Doorlist. Each stronger right includes the weaker ones. `top_position`:
    the place of their highest role among the server's, None for its owner.
    """

    guild_id: GuildId
    user_id: UserId
    name: str = ""
    can_staff: bool = False
    can_manage: bool = False
    can_data: bool = False
    is_operator: bool = False
    top_position: int | None = 0

    def is_above(self, position: int) -> bool:
        """Say whether they stand above a role, so that Discord would let them hand it out themselves."""
        return self.top_position is None or self.top_position > position

    def __str__(self) -> str:
        """Name the actor as the audit does."""
        return f"staff:{self.user_id}"

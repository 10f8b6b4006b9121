"""The four names of failure. Everything else that is raised is a bug, and loud (DESIGN law 9)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Audience(StrEnum):
    """Who has to act before a blocked thing can go on."""

    OPERATOR = "operator"
    OWNER = "owner"
    MEMBER = "member"


class Reason(StrEnum):
    """Why a grant is in the state it is in; the one catalogue for Discord, web, mail and log."""

    PAID = "paid"
    TRIAL = "trial"
    COMP = "comp"
    PAYMENT_FAILED = "payment_failed"
    PAUSED = "paused"
    WAITING_FOR_PAYMENT = "waiting_for_payment"
    NOT_LINKED = "not_linked"
    NOT_IN_SERVER = "not_in_server"
    RULES_NOT_ACCEPTED = "rules_not_accepted"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNPAID = "unpaid"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    PLAN_CHANGED = "plan_changed"
    PLAN_UNMAPPED = "plan_unmapped"
    MOVED = "moved"
    DISCONNECTED = "disconnected"
    STATUS_UNKNOWN = "status_unknown"
    BRAKE = "brake"
    HAND_REMOVED = "hand_removed"
    GUILD_UNAVAILABLE = "guild_unavailable"
    BOT_NOT_IN_SERVER = "bot_not_in_server"
    ROLE_ABOVE_BOT = "role_above_bot"
    ROLE_DELETED = "role_deleted"
    MISSING_PERMISSION = "missing_permission"
    MISSING_ACCESS = "missing_access"
    BANNED = "banned"
    SERVER_LIMIT = "server_limit"
    JOIN_LIMITED = "join_limited"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reason, not a secret
    SCOPE_MISSING = "scope_missing"
    ACCOUNT_GONE = "account_gone"
    TWO_FACTOR_REQUIRED = "two_factor_required"
    DMS_CLOSED = "dms_closed"
    CREDENTIALS_REFUSED = "credentials_refused"
    MAIL_REFUSED = "mail_refused"


PAUSED_HERE = "role changes are paused in this server"
"""What a job says that waits for staff to end a pause: it has not failed."""


class DoorlistError(Exception):
    """Base of the four failures; never raised itself."""


class Retry(DoorlistError):
    """The outside is in trouble or asks for patience: the same call may work later."""

    def __init__(self, why: str, *, after: timedelta | None = None) -> None:
        """Say `why` in plain words; `after` is the wait the other side asked for, None for our own backoff."""
        super().__init__(why)
        self.why = why
        self.after = after


class Unanswered(Retry):
    """It was handed over, but no answer came: it may have arrived, so that each further try may be one too many."""


class Blocked(DoorlistError):
    """It cannot work until somebody acts: `audience` says who."""

    def __init__(self, reason: Reason, *, audience: Audience, detail: str = "") -> None:
        """Carry the `reason` from the catalogue and the outside's own words as `detail`."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.audience = audience
        self.detail = detail


class Gone(DoorlistError):
    """The thing acted on no longer exists at the other side; `what` names it."""

    def __init__(self, what: str) -> None:
        """Name what is gone: "member", "role", "guild", "message", "purchase"."""
        super().__init__(f"{what} is gone")
        self.what = what


class UserError(DoorlistError):
    """The person asked for something that cannot be done; the text is for them."""

    def __init__(self, text: str) -> None:
        """Carry the sentence to show: what did not happen, why, and what to do."""
        super().__init__(text)
        self.text = text

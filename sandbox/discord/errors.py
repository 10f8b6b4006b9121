"""The errors that the local Discord answers with: status, Discord's code, Discord's words."""

from __future__ import annotations

from sandbox.discord.world import Json


class ApiError(Exception):
    """A refusal, answered as JSON `{"message", "code"}`."""

    def __init__(self, status: int, code: int, message: str, **extra: object) -> None:
        """Keep the HTTP status, Discord's code and message, and further keys of the body."""
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body: Json = {"message": message, "code": code, **extra}


def unauthorized() -> ApiError:
    """Answer for a missing, unknown or reset token."""
    return ApiError(401, 0, "401: Unauthorized")


def not_found() -> ApiError:
    """Answer for a path that is no route."""
    return ApiError(404, 0, "404: Not Found")


def unknown(what: str) -> ApiError:
    """Answer for an id that names nothing; `what` is one of the words in the table below."""
    return ApiError(404, _UNKNOWN[what], f"Unknown {what}")


def missing_access() -> ApiError:
    """Answer where the bot cannot even see the thing."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """Answer for a lacking permission and for everything above the bot's highest role."""
    return ApiError(403, 50013, "Missing Permissions")


def invalid_form(field: str, reason: str) -> ApiError:
    """Answer for a request body that Discord does not accept."""
    errors = {field: {"_errors": [{"code": "BASE_TYPE_BAD", "message": reason}]}}
    return ApiError(400, 50035, "Invalid Form Body", errors=errors)


_UNKNOWN = {
    "Application": 10002,
    "Channel": 10003,
    "Guild": 10004,
    "Invite": 10006,
    "Member": 10007,
    "Message": 10008,
    "Role": 10011,
    "User": 10013,
    "Webhook": 10015,
    "Ban": 10026,
    "interaction": 10062,
    "application command": 10063,
}

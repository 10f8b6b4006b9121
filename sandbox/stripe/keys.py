"""API keys: who may ask, in which mode, and for what (restricted keys)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Literal

from sandbox.stripe.errors import Refusal

Permission = Literal["read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. `permissions` is None for a secret key, which may do everything."""

    secret: str
    permissions: dict[str, Permission] | None = field(default=None)

    @property
    def is_live(self) -> bool:
        """Say whether it is a live-mode key: the name says so."""
        return "_live_" in self.secret

    def allows(self, method: str, scope: str) -> bool:
        """Say whether a request is permitted; write includes read."""
        if self.permissions is None:
            return True
        granted = self.permissions.get(scope)
        return granted == "write" or (granted == "read" and method == "GET")


class Keyring:
    """The keys that this account accepts."""

    def __init__(self, *keys: Key) -> None:
        self._keys = {key.secret: key for key in keys}

    def add(self, key: Key) -> Key:
        """Accept a key. Raises ValueError for one that does not look like Stripe's."""
        if not key.secret.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
            raise ValueError("a key begins with sk_test_, sk_live_, rk_test_ or rk_live_")
        self._keys[key.secret] = key
        return key

    def revoke(self, secret: str) -> None:
        """Stop accepting a key."""
        self._keys.pop(secret, None)

    def identify(self, authorization: str) -> Key:
        """Return the key of an Authorization header (Bearer or Basic). Raises Refusal (401)."""
        secret = _secret_of(authorization)
        if not secret:
            raise Refusal(401, "You did not provide an API key.")
        key = self._keys.get(secret)
        if key is None:
            shown = f"{secret[:8]}{'*' * 8}{secret[-4:]}"
            raise Refusal(401, f"Invalid API Key provided: {shown}")
        return key


def forbidden(key: Key, method: str, scope: str) -> Refusal:
    """Return the answer for a restricted key that lacks a permission."""
    needed = f"rak_{scope.rstrip('s')}_{'read' if method == 'GET' else 'write'}"
    return Refusal(
        403,
        f"The provided key '{key.secret[:12]}***' does not have the required permissions for this endpoint. Having the"
        f" '{needed}' permission would allow this request to continue.",
    )


def _secret_of(authorization: str) -> str:
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""

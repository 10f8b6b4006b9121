"""The operating system's randomness, as membership asks for it."""

from __future__ import annotations

import random
import secrets

from membership import codes

TOKEN_BYTES = 24


class SystemRandomness:
    """Secrets from the operating system; jitter need not be one."""

    def code(self) -> str:
        """Return a new claim code of 16 Crockford characters."""
        return codes.from_bits(secrets.randbits(5 * codes.LENGTH))

    def token(self) -> str:
        """Return a new URL-safe secret of 192 bits."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def jitter(self) -> float:
        """Return a number in [0, 1)."""
        return random.random()  # noqa: S311 - spreads retries, protects nothing

"""Seals what must be read back (tokens, session content) and keeps the key. What is only looked up is hashed."""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY_FILE = "encryption_key"
_SEPARATOR = "\0"


class WrongKey(Exception):
    """A sealed value cannot be opened: with none of the keys, or not for the row that it was sealed for."""


class BadKey(ValueError):
    """A configured key is not a Fernet key (32 bytes in URL-safe base64)."""


class Seal:
    """Seals text for one row. The first key seals, all of them open, so that a key can be replaced while running."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take one key at least, the newest first. Raises BadKey."""
        try:
            self._box = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise BadKey(
                "The encryption key is not usable: it must be 32 bytes in URL-safe base64 (44 characters). "
                "Restore the one that was in use, or remove the setting to have a new one made."
            ) from error

    def close(self, text: str, *, row: str) -> str:
        """Seal a text for the row that will hold it, for example "sessions:web:3f9a..."."""
        return self._box.encrypt(f"{row}{_SEPARATOR}{text}".encode()).decode()

    def open(self, token: str, *, row: str) -> str:
        """Open what was sealed for this row. Raises WrongKey."""
        try:
            bound_to, _, text = self._box.decrypt(token).decode().partition(_SEPARATOR)
        except InvalidToken as error:
            raise WrongKey("A stored secret cannot be opened with the encryption keys given.") from error
        if not hmac.compare_digest(bound_to.encode(), row.encode()):
            raise WrongKey("A stored secret was moved to a row that it was not sealed for.")
        return text

    def renew(self, token: str) -> str:
        """Seal again with the first key what any of the keys sealed. Raises WrongKey."""
        try:
            return self._box.rotate(token).decode()
        except InvalidToken as error:
            raise WrongKey("A stored secret cannot be opened with the encryption keys given.") from error


def find_keys(configured: str, folder: Path) -> list[str]:
    """Return the keys of the setting (separated by commas), else the one in `folder`, made there at the first start.

    The file is only for its owner (0600) and belongs into the backup: without it sealed values are lost.
    """
    keys = [key.strip() for key in configured.split(",") if key.strip()]
    if keys:
        return keys
    path = folder / KEY_FILE
    try:
        return [path.read_text(encoding="ascii").strip()]
    except FileNotFoundError:
        return [_make(path)]


def _make(path: Path) -> str:
    key = Fernet.generate_key()
    path.parent.mkdir(parents=True, exist_ok=True)
    # EXCL: of two processes that start at once, the second must not replace the key that the first one uses.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key.decode()

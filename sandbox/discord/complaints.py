"""What is wrong with a request body, collected place by place and raised as Discord's one nested error 50035.

The codes BASE_TYPE_* and NUMBER_TYPE_* are Discord's own; where its word is not known, the code says the rule.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.discord.errors import ApiError
from sandbox.discord.world import Json

Place = tuple[str | int, ...]


class Complaints:
    """Collects complaints; `within` is the part of the body that all places are inside of."""

    def __init__(self, within: Place = ()) -> None:
        self._within = within
        self._errors: Json = {}

    def add(self, place: Place, code: str, message: str) -> None:
        """Complain about one place."""
        branch = self._errors
        for part in (*self._within, *place):
            branch = branch.setdefault(str(part), {})
        branch.setdefault("_errors", []).append({"code": code, "message": message})

    def raise_any(self) -> None:
        """Raise ApiError 50035 with all complaints; do nothing without one."""
        if self._errors:
            raise ApiError(400, 50035, "Invalid Form Body", errors=self._errors)

    def require(self, body: Mapping[str, Any], key: str, place: Place) -> None:
        """Complain when a key is missing or null."""
        if body.get(key) is None:
            self.add((*place, key), "BASE_TYPE_REQUIRED", "This field is required")

    def check_length(self, value: object, least: int, most: int, place: Place) -> None:
        """Complain about a text or list outside its length; None passes."""
        if value is None:
            return
        if not isinstance(value, str | list):
            self.add(place, "BASE_TYPE_BAD_TYPE", "Could not interpret the value.")
        elif not least <= len(value) <= most:
            if least and len(value) < least:
                self.add(place, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
            else:
                self.add(place, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def check_number(self, value: object, least: int, most: int, place: Place) -> None:
        """Complain about a number outside its range; None passes."""
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(place, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < least:
            self.add(place, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
        elif value > most:
            self.add(place, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")

    def check_choice(self, value: object, allowed: Collection[int], place: Place) -> None:
        """Complain about a value that is none of `allowed`."""
        if value not in allowed:
            listed = ", ".join(str(each) for each in sorted(allowed))
            self.add(place, "BASE_TYPE_CHOICES", f"Value must be one of {{{listed}}}.")

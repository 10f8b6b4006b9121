"""Numbers in addresses and forms: ours, Discord's, and numbers of pages. How many somebody typed of what is the form's.

What no table can hold is nobody's number: it is refused here, before anything looks for it.
"""

from __future__ import annotations

_LONGEST = 19
_LARGEST = 2**63 - 1


def number_in(text: str) -> int | None:
    """Return the number that a text is, None for a text that is none, or too large for one of ours or Discord's."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST
    return int(text) if is_number and int(text) <= _LARGEST else None

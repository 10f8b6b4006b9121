"""The words of direct messages, one template each (EXPERIENCE 2.4). Pure; never marketing."""

from __future__ import annotations

from collections.abc import Mapping

from cogs.words import code_text, date


def direct_text(template: str, facts: Mapping[str, object]) -> str:
    """Word a direct message. Raises KeyError for a template without words: that is a bug of ours."""
    return _TEMPLATES[template].format(
        plan=code_text(str(facts.get("plan") or "your membership")),
        server=code_text(str(facts.get("server") or "the server")),
        kick_at=date(facts["kick_at"]) if "kick_at" in facts else "",
    )


_TEMPLATES = {
    "kick": (
        "Your membership {plan} in {server} has ended, so its roles are gone. "
        "You will be removed from the server on {kick_at}, unless you buy again before. "
        "You can always come back with an invite."
    ),
}

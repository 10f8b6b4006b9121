"""The secrets of a sign-in mail: kept sealed until it is sent, and for ten minutes at most. Who may ask is elsewhere.

A message about a sign-in names the place of its secrets, and never carries them: no secret stands in the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from membership.ledgers import Transaction

TEMPLATE = "signin"
PLACE = "sign_in"
"""The fact of a message that names the place of its secrets."""

_KIND = "sign_in_mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a sign-in mail carries to an address, and until when it serves. `language` "": nobody said."""

    email: str
    code: str
    token: str
    until: datetime
    language: str = ""


async def keep(tx: Transaction, place: str, secrets: Secrets) -> None:
    """Keep the secrets of a mail that is to be sent."""
    content = {"email": secrets.email, "code": secrets.code, "token": secrets.token, "language": secrets.language}
    await tx.sessions.put(place, _KIND, {**content, "until": secrets.until.isoformat()}, secrets.until)


async def secrets_at(tx: Transaction, place: str, now: datetime) -> Secrets | None:
    """Return the secrets of a mail, None once it would come too late."""
    kept = await tx.sessions.get(place, _KIND, now)
    if kept is None:
        return None
    return Secrets(
        email=kept["email"],
        code=kept["code"],
        token=kept["token"],
        until=datetime.fromisoformat(kept["until"]),
        language=kept["language"],
    )


async def forget(tx: Transaction, place: str, now: datetime) -> None:
    """Throw the secrets of a mail away."""
    await tx.sessions.take(place, _KIND, now)


async def mail_facts(
    tx: Transaction, facts: Mapping[str, object], public_url: str, now: datetime
) -> dict[str, object] | None:
    """Return what the words of a sign-in mail need (code, link, link_until, language), None once it is too late."""
    secrets = await secrets_at(tx, str(facts.get(PLACE, "")), now)
    if secrets is None:
        return None
    return {
        "code": spelled(secrets.code),
        "link": f"{public_url}/sign-in/{secrets.token}",
        "link_until": secrets.until.isoformat(),
        "language": secrets.language,
    }


def spelled(code: str) -> str:
    """Write a code the way people read it: 482 913."""
    return f"{code[:3]} {code[3:]}"

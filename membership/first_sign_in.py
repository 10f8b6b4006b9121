"""One-time links to staff's sign-in: from the console, where they make an operator, or from Discord, for one person.

A link proves nothing of who follows it: they sign in with Discord all the same, and `take` then uses the link up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from membership import codes
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import UserId
from membership.records import AuditEntry
from membership.services import Services

KIND = "first_sign_in"
LIFE = timedelta(minutes=5)
OPERATOR_ADDED = "operator.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLink:
    """What a link is good for. `user_id`: the only one whom it serves, None for whoever brings it first."""

    user_id: UserId | None
    may_operate: bool


async def issue(services: Services, user_id: UserId | None, *, may_operate: bool) -> str:
    """Make a link that serves once within five minutes; return the secret in it, of which a digest is kept."""
    token = services.randomness.token()
    content = {"user_id": str(user_id or ""), "may_operate": "yes" if may_operate else ""}
    async with services.store.write() as tx:
        await tx.sessions.put(codes.digest(token), KIND, content, services.clock.now() + LIFE)
    return token


async def look(services: Services, digest: str) -> FirstLink | None:
    """Return what a link is good for, None when it is unknown, used or too old. It stays good."""
    async with services.store.read() as tx:
        return await _find(tx, services, digest)


async def take(services: Services, digest: str, user_id: UserId) -> FirstLink:
    """Use a link up for somebody whom Discord has just named, and make them an operator where it says so.

    Raises UserError when it is unknown, used or too old; so it does for a stranger's, which stays good for its owner.
    """
    now = services.clock.now()
    async with services.store.write() as tx:
        link = await _find(tx, services, digest)
        if link is None:
            raise UserError("This link was used before or is older than five minutes. Ask for a new one.")
        if link.user_id not in (None, user_id):
            raise UserError("This link was made for another Discord account. Sign in with that one, or get your own.")
        await tx.sessions.take(digest, KIND, now)
        if link.may_operate:
            await tx.operators.add(user_id, now)
            await tx.audit.add(AuditEntry(event=OPERATOR_ADDED, actor="console", user_id=user_id), now)
    if link.may_operate:
        services.operators.add([user_id])
    return link


async def _find(tx: Transaction, services: Services, digest: str) -> FirstLink | None:
    content = await tx.sessions.get(digest, KIND, services.clock.now())
    if content is None:
        return None
    bound_to = content["user_id"]
    return FirstLink(user_id=UserId(int(bound_to)) if bound_to else None, may_operate=bool(content["may_operate"]))

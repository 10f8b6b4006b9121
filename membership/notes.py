"""What staff write down about a member for each other. Kept in the audit; the member never sees it here."""

from __future__ import annotations

from membership.actors import Actor
from membership.dossier import NOTE
from membership.errors import UserError
from membership.model import UserId
from membership.records import AuditEntry
from membership.services import Services

LONGEST_NOTE = 500


async def note(services: Services, actor: Actor, user_id: UserId, text: str) -> None:
    """Write a note about somebody. Raises UserError for an empty one."""
    written = " ".join(text.split())[:LONGEST_NOTE]
    if not written:
        raise UserError("The note is empty: nothing was written down.")
    entry = AuditEntry(
        event=NOTE,
        actor=str(actor),
        guild_id=actor.guild_id,
        user_id=user_id,
        detail={"text": written, "actor_name": actor.name},
    )
    async with services.store.write() as tx:
        await tx.audit.add(entry, services.clock.now())

"""Makes mails to whoever runs a server or this Doorlist: an alert, a test, a sample. Why is decided elsewhere."""

from __future__ import annotations

from membership import mail_facts, mail_limits
from membership.errors import Gone
from membership.ledgers import Transaction
from membership.model import GuildId
from membership.ports import Mail
from membership.records import Guild, Message
from membership.services import Services

OUR_NAME = "Doorlist"


async def compose(services: Services, tx: Transaction, message: Message) -> Mail:
    """Make the mail of a message of this kind. Raises Gone where nobody reads it, Retry over the limits."""
    guild = await tx.guilds.get(GuildId(int(message.target)))
    address = reader(services, guild)
    if not address:
        raise Gone("address")
    await mail_limits.respect_targets(services, tx, message.kind, [message.target])
    facts: dict[str, object] = {"server": OUR_NAME, "review_url": f"{services.public_url}/admin"}
    if guild is not None:
        page = f"/{message.facts['page']}" if "page" in message.facts else ""
        facts |= mail_facts.brand(guild) | {
            "server": guild.name,
            "languages": [guild.language],
            "time_zone": guild.time_zone,
            "review_url": f"{services.public_url}/admin/{guild.id}{page}",
        }
    message_id = f"{message.id}.{int(message.created_at.timestamp())}"
    return Mail(to=address, template=message.template, facts=facts | dict(message.facts), message_id=message_id)


def reader(services: Services, guild: Guild | None) -> str:
    """Return who reads mails about a server: its support, else whoever runs this Doorlist; "" for nobody."""
    own = guild.support_address if guild is not None and "@" in guild.support_address else ""
    return own or services.alerts_to

"""What payers chose for their mails, and servers' own words in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import and_, delete, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.browsing import ChosenBy, CustomerSettings, MailText
from membership.model import CustomerId, GuildId, UserId
from storage.customers import search_key
from storage.schema import customers, links
from storage.statements import insert_into
from storage.web_tables import customer_settings, mail_texts


class CustomersSettings:
    """Settings, one row per payer who ever chose."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, customer_id: CustomerId) -> CustomerSettings:
        """Return a payer's settings, the defaults when they never chose."""
        found = await self._connection.execute(
            select(customer_settings).where(customer_settings.c.customer_id == customer_id)
        )
        row = found.mappings().one_or_none()
        return CustomerSettings(customer_id=customer_id) if row is None else CustomerSettings(**row)

    async def near(self, user_id: UserId | None, email: str, limit: int) -> Sequence[ChosenBy]:
        """Return what payers chose who are linked to an account or have an address, in any case, by their id."""
        # By ids from two indexes: most payers never choose, and one "or" over both tables would walk all who did.
        by_link = select(links.c.customer_id).where(links.c.user_id == user_id, links.c.ended_at.is_(None))
        by_mail = select(customers.c.id).where(customers.c.email_key == search_key(email), customers.c.email != "")
        is_live = and_(links.c.customer_id == customers.c.id, links.c.ended_at.is_(None))
        found = await self._connection.execute(
            select(customer_settings, customers.c.email, links.c.user_id, links.c.proof)
            .join(customers, customers.c.id == customer_settings.c.customer_id)
            .outerjoin(links, is_live)
            .where(customer_settings.c.customer_id.in_(union(by_link, by_mail)))
            .order_by(customer_settings.c.customer_id)
            .limit(limit)
        )
        names = customer_settings.c.keys()
        return [
            ChosenBy(
                settings=CustomerSettings(**{name: row[name] for name in names}),
                email=row["email"],
                linked_to=row["user_id"],
                proof=row["proof"],
            )
            for row in found.mappings()
        ]

    async def put(self, settings: CustomerSettings) -> None:
        """Store a payer's settings."""
        values = asdict(settings)
        await self._connection.execute(
            insert_into(self._connection, customer_settings)
            .values(values)
            .on_conflict_do_update(index_elements=[customer_settings.c.customer_id], set_=values)
        )


class MailTexts:
    """Servers' own words, one row per template and language."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, guild_id: GuildId, template: str, language: str) -> MailText | None:
        """Return a server's words for one template and language."""
        return (await self.of_guild(guild_id)).get((template, language))

    async def of_guild(self, guild_id: GuildId) -> Mapping[tuple[str, str], MailText]:
        """Return all of a server's words, by template and language."""
        found = await self._connection.execute(select(mail_texts).where(mail_texts.c.guild_id == guild_id))
        return {(row["template"], row["language"]): MailText(**row) for row in found.mappings()}

    async def put(self, text: MailText) -> None:
        """Set a server's words; empty ones go back to ours."""
        key = (mail_texts.c.guild_id, mail_texts.c.template, mail_texts.c.language)
        if not text.subject and not text.intro:
            values = (text.guild_id, text.template, text.language)
            await self._connection.execute(
                delete(mail_texts).where(*(column == value for column, value in zip(key, values, strict=True)))
            )
            return
        await self._connection.execute(
            insert_into(self._connection, mail_texts)
            .values(asdict(text))
            .on_conflict_do_update(index_elements=list(key), set_={"subject": text.subject, "intro": text.intro})
        )

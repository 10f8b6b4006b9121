"""What staff do with mails: a server's own words in them, a look at each, and a sample sent to themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from membership import alert_mail, alerts, mail_facts, mail_samples, notices
from membership.actors import Actor
from membership.addresses import masked
from membership.browsing import MailText
from membership.change_kinds import ChangeKind, mail_text_json
from membership.desk import Change
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import ChangeId
from membership.records import Draft, Guild
from membership.services import Services

CHANGEABLE = (
    "connect",
    "connect_reminder",
    "delivered",
    "failed",
    "past_due",
    "grace_last_day",
    "trial_ending",
    "cancelled",
    "ended",
    "refunded",
)
"""Whose subject and head a server may word itself. What protects an account stays as it is: it must be recognised."""

LONGEST_SUBJECT = 60
LONGEST_INTRO = 600
USUAL_PLAN = "VIP"


async def own_words(services: Services, actor: Actor) -> Mapping[tuple[str, str], MailText]:
    """Return a server's own words, by template and language."""
    async with services.store.read() as tx:
        return await tx.mail_texts.of_guild(actor.guild_id)


async def change(services: Services, actor: Actor, text: MailText) -> ChangeId | None:
    """Set a server's words in one mail and language, to be taken back; None when they were so. Raises UserError.

    Empty words go back to ours. {plan} and {server} in a subject are filled in.
    """
    tidy = replace(text, guild_id=actor.guild_id, subject=_line(text.subject), intro=_line(text.intro))
    check(tidy)
    now = services.clock.now()
    async with services.store.write() as tx:
        before = await tx.mail_texts.get(actor.guild_id, text.template, text.language)
        if mail_text_json(before or replace(tidy, subject="", intro="")) == mail_text_json(tidy):
            return None
        await tx.mail_texts.put(tidy)
        summary = f"Words of the mail {text.template} ({text.language})"
        made = Change(
            guild_id=actor.guild_id,
            actor=str(actor),
            at=now,
            kind=ChangeKind.MAIL_TEXT,
            summary=summary,
            before=mail_text_json(before or replace(tidy, subject="", intro="")),
            after=mail_text_json(tidy),
        )
        change_id = await tx.changes.add(made)
        told = {"summary": summary, "change_id": int(change_id)}
        await notices.tell(tx, "settings.changed", actor.guild_id, told, now, actor=str(actor))
    return change_id


def check(text: MailText) -> None:
    """Refuse words that cannot be. Raises UserError."""
    if text.template not in CHANGEABLE:
        raise UserError("The words of this mail cannot be changed.")
    if len(text.subject) > LONGEST_SUBJECT:
        raise UserError(f"A subject has {LONGEST_SUBJECT} characters at most: mail programs show no more.")
    if len(text.intro) > LONGEST_INTRO:
        raise UserError(f"The paragraph has {LONGEST_INTRO} characters at most.")


async def sample(services: Services, actor: Actor, template: str) -> Mapping[str, object]:
    """Return the facts of a made-up mail of the actor's server, with its own words and looks."""
    async with services.store.read() as tx:
        guild = await _of(tx, actor)
        return await _sample(services, tx, guild, template)


async def send_sample(services: Services, actor: Actor, template: str, language: str) -> str:
    """Send a made-up mail to who reads alerts, once a minute; return the address as `reader` does. Raises UserError."""
    if not services.mailer.is_configured:
        raise UserError("Mail is not set up, so nothing can be sent. python3 bot.py doctor mail says what is missing.")
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _of(tx, actor)
        address = alert_mail.reader(services, guild)
        if not address:
            raise UserError("There is no address to send it to. Set a support address in the settings first.")
        facts = dict(await _sample(services, tx, guild, template)) | {"languages": [language]}
        draft = Draft(
            dedupe_key=f"sample:{guild.id}:{template}:{now:%Y-%m-%dT%H:%M}",
            kind=alerts.KIND,
            target=str(guild.id),
            template=template,
            facts=facts,
        )
        await tx.outbox.put(draft, now)
    services.wake()
    return _shown(address, guild)


async def reader(services: Services, actor: Actor) -> str:
    """Return who reads alerts and samples of the actor's server, "" for nobody."""
    async with services.store.read() as tx:
        guild = await _of(tx, actor)
    return _shown(alert_mail.reader(services, guild), guild)


def _shown(address: str, guild: Guild) -> str:
    """Show a server its own address; that of whoever runs this Doorlist is masked."""
    return address if address == guild.support_address else masked(address)


async def _sample(services: Services, tx: Transaction, guild: Guild, template: str) -> Mapping[str, object]:
    plans = [plan.name for plan in await tx.plans.all(guild.id) if not plan.is_archived]
    facts = mail_samples.of(template, services.public_url, services.clock.now(), plan=plans[0] if plans else USUAL_PLAN)
    return {
        **facts,
        **mail_facts.brand(guild),
        "server": guild.name,
        "time_zone": guild.time_zone,
        "languages": [guild.language],
        "own_words": await mail_facts.own_words(tx, guild, template),
        "review_url": f"{services.public_url}/admin/{guild.id}/brake",
    }


async def _of(tx: Transaction, actor: Actor) -> Guild:
    guild = await tx.guilds.get(actor.guild_id)
    if guild is None:
        raise UserError("Doorlist is not set up in this server yet.")
    return guild


def _line(text: str) -> str:
    """Put a text on one line."""
    return " ".join(text.split())

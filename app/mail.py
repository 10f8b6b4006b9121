"""The `mail` commands: look at a mail as it would be read, and send one to see that mails leave this machine."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from app.settings import Settings
from locales.catalogue import locales
from membership import mail_samples
from membership.errors import Audience, Blocked, Retry
from membership.mail_desk import USUAL_PLAN
from membership.ports import Mail
from web.mail import SmtpMailer
from web.mail_words import TEMPLATES, MailWords

FINE, PROBLEM, WRONG_USE, UNREACHABLE = 0, 1, 2, 3
SERVER = "Ada's Trading Room"
ADDRESS = "https://gate.example.com"


def preview(settings: Settings, name: str, language: str, folder: Path) -> int:
    """Write a made-up mail into a folder, as it looks and as plain text, and print the text."""
    if name not in TEMPLATES:
        click.echo(f"✗ There is no mail {name[:40]!r}. There are: {', '.join(TEMPLATES)}.", err=True)
        return WRONG_USE
    if language not in locales():
        click.echo(f"✗ No mail speaks {language[:20]!r} yet. There are: {', '.join(sorted(locales()))}.", err=True)
        return WRONG_USE
    facts = {**_facts(name), "languages": [language]}
    mail = MailWords(settings.discord.claim_command).render(name, facts)
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name}.{mail.language}.html"
    page.write_text(mail.html, "utf-8")
    page.with_suffix(".txt").write_text(f"Subject: {mail.subject}\n\n{mail.text}", "utf-8")
    click.echo(f"Subject: {mail.subject}\n\n{mail.text}")
    click.echo(f"✓ Written to {page} and {page.with_suffix('.txt').name}.")
    return FINE


def send_test(settings: Settings, address: str) -> int:
    """Send a test mail now, and say what the mail server answered."""
    if settings.mail.transport != "smtp":
        click.echo('✗ Mail is not set up: mail.transport is "none". Everything else works without it.', err=True)
        return WRONG_USE
    now = datetime.now(UTC)
    mail = Mail(
        to=address,
        template="test",
        facts={**_facts("test"), "server": "Doorlist"},
        message_id=f"test.{now:%Y%m%d%H%M%S}",
    )
    try:
        asyncio.run(SmtpMailer(settings.mail, _Now(), claim_command="").send(mail))
    except Blocked as refusal:
        click.echo(f"✗ It was refused: {refusal.detail}.", err=True)
        return WRONG_USE if refusal.audience is Audience.MEMBER else PROBLEM
    except Retry as trouble:
        click.echo(f"✗ It did not go out: {trouble.why}.", err=True)
        return UNREACHABLE
    click.echo(f"✓ {settings.mail.smtp.host} took a test mail to {address}. Look into the mailbox, and into spam.")
    return FINE


def _facts(name: str) -> dict[str, object]:
    made_up = mail_samples.of(name, ADDRESS, datetime.now(UTC), plan=USUAL_PLAN)
    return {**made_up, "server": SERVER, "review_url": f"{ADDRESS}/admin/1/brake"}


class _Now:
    """The clock of a command that runs once."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

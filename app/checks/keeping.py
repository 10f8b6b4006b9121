"""What keeps things going: the database, the jobs, mail and the pages (S01 to S04, J01 to J04, M01 to M06, W01)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from app.checks.making import EVERYWHERE, ONLY_CLI, check, fail, hint, listed, warn
from app.checks.patient import Patient
from app.clocks import LAST_RUN
from app.reach import answer_of
from membership.checks import Area, Check, Finding, Outcome, Skip, in_words
from membership.errors import Blocked, Reason
from membership.model import GrantState
from storage.examination import database_file, examine_queues, find_damage, network_disk, running_process
from web.smtp import check_log_in

LATE_RUNS = 3
LONG_FAILURE = timedelta(days=2)
LONG_PAUSE = timedelta(days=3)
LONG_HELD = timedelta(days=1)
LATE_MAIL = timedelta(hours=1)
_MOST_LISTED = 500


def checks(patient: Patient) -> list[Check]:
    """Return the checks of these areas."""
    rules = Keeping(patient)
    return [
        check("S01", Area.DATA, "The database is whole", rules.integrity, where=ONLY_CLI),
        check("S02", Area.DATA, "The database has this version's tables", rules.schema, where=ONLY_CLI),
        check("S04", Area.DATA, "The database is on a disk of this machine", rules.disk, where=ONLY_CLI),
        check("J01", Area.JOBS, "The five-minute run keeps its time", rules.last_run, where=ONLY_CLI),
        check("J02", Area.JOBS, "The runs are fast enough", rules.run_time, where=ONLY_CLI),
        check("J03", Area.JOBS, "Nothing waits for a person", rules.parked, where=ONLY_CLI),
        check("J04", Area.JOBS, "Nothing is held back unnoticed", rules.held, where=EVERYWHERE),
        check("M01", Area.MAIL, "The mail server takes our mail", rules.mail_server, where=ONLY_CLI),
        check("M02", Area.MAIL, "Mail comes from the account that sends it", rules.sender, where=ONLY_CLI),
        check("M06", Area.MAIL, "Mail goes out at once", rules.mail_queue, where=ONLY_CLI),
        check("W01", Area.WEB, "The public address leads here", rules.public_address, where=ONLY_CLI),
    ]


class Keeping:
    """The rules."""

    def __init__(self, patient: Patient) -> None:
        """Take what is looked at."""
        self._patient = patient

    @property
    def _now(self) -> datetime:
        return self._patient.clock.now()

    # ------------------------------------------------------------------------------------------------------ data

    async def integrity(self) -> Sequence[Finding]:
        """Look for damage inside the file."""
        flaws = await find_damage(self._patient.database)
        if not flaws:
            return []
        fix = "Stop Doorlist, keep a copy of the data folder, and restore the newest backup."
        return [fail("The database", f"It is damaged: {listed(flaws)}.", fix)]

    async def schema(self) -> Sequence[Finding]:
        """Look whether the tables are this version's; that was found out before the database was opened."""
        if flaw := self._patient.flaws.get("S02"):
            return [flaw]
        _ = self._patient.database
        return []

    async def disk(self) -> Sequence[Finding]:
        """Look whether the file is on a network disk, where SQLite's locks cannot be trusted."""
        file = database_file(self._patient.settings.database)
        if file is None:
            raise Skip("PostgreSQL looks after its own disk")
        kind = network_disk(file)
        if not kind:
            return []
        cause = f"{file} is on a network disk ({kind}). SQLite loses data there."
        return [fail("The database", cause, "Move it to a disk of this machine, or use PostgreSQL.")]

    # ------------------------------------------------------------------------------------------------------ jobs

    async def last_run(self) -> Sequence[Finding]:
        """Look when every server was last compared with what was paid."""
        async with self._patient.services.store.read() as tx:
            last = await tx.cursors.get(LAST_RUN)
        if last is None:
            raise Skip("Doorlist has not run yet")
        age = self._now - datetime.fromisoformat(last)
        if age <= LATE_RUNS * timedelta(minutes=self._patient.services.policy.reconcile_minutes):
            return []
        cause = f"The last run was {_span(age)} ago. Roles are given and taken only while Doorlist runs."
        holder = running_process(self._patient.settings.database)
        fix = f"Look at the log of process {holder}, and start it anew." if holder else "Start it: python3 bot.py"
        return [fail("The five-minute run", cause, fix)]

    async def run_time(self) -> Sequence[Finding]:
        """Look whether a run is still going when the next one is due."""
        queues = await examine_queues(self._patient.database)
        interval = timedelta(minutes=self._patient.services.policy.reconcile_minutes)
        if queues.late_sweep_since is None or self._now - queues.late_sweep_since <= interval:
            return []
        cause = f"A server waits for its run since {_span(self._now - queues.late_sweep_since)}: they take too long."
        return [warn("The five-minute run", cause, "Raise policy.reconcile_minutes, or use PostgreSQL.")]

    async def parked(self) -> Sequence[Finding]:
        """Look for jobs that were given up, and for members who have waited for days."""
        queues = await examine_queues(self._patient.database)
        findings = []
        if queues.parked:
            cause = f"{_count(queues.parked, 'job')} failed too often and wait. The last one: {queues.last_error}"
            findings.append(warn("Parked jobs", cause, "Put the cause right; the next run of a member tries again."))
        for file in await self._patient.files():
            async with self._patient.services.store.read() as tx:
                failed = await tx.purchases.grants_in_state(file.guild.id, GrantState.FAILED, None, _MOST_LISTED)
            old = [grant for grant in failed if self._now - grant.opened_at > LONG_FAILURE]
            if old:
                reasons = listed(sorted({str(grant.reason).replace("_", " ") for grant in old}))
                cause = (
                    f'{_count(len(old), "grant")} in "{file.guild.name}" cannot be delivered for two days: {reasons}.'
                )
                findings.append(warn("Waiting members", cause, "/doorlist doctor in that server says what to do."))
        return findings

    async def held(self) -> Sequence[Finding]:
        """Look for removals that wait for a person, and for servers that are paused."""
        findings = []
        for file in await self._patient.files():
            async with self._patient.services.store.read() as tx:
                batches = await tx.removals.open_batches(file.guild.id)
            old = [batch for batch in batches if self._now - batch.created_at > LONG_HELD]
            if old:
                cause = f'{sum(len(batch.removals) for batch in old)} removals in "{file.guild.name}" wait since a day.'
                findings.append(warn("The brake", cause, "/doorlist brake shows them; release or discard them."))
            paused_at = file.guild.paused_at
            if paused_at is not None and self._now - paused_at > LONG_PAUSE:
                cause = (
                    f'"{file.guild.name}" is paused since {_span(self._now - paused_at)}: nobody gets or loses a role.'
                )
                findings.append(warn("Paused", cause, "/doorlist resume"))
        return findings

    # ------------------------------------------------------------------------------------------------ mail, pages

    async def mail_server(self) -> Sequence[Finding]:
        """Look whether the mail server lets us in."""
        if self._patient.settings.mail.transport != "smtp":
            raise Skip("mail is not set up (mail.transport); everything else works")
        try:
            await check_log_in(self._patient.settings.mail)
        except Blocked as refusal:
            if refusal.reason is not Reason.MAIL_REFUSED:
                raise
            cause = f"The mail server refuses us: {in_words(refusal)}"
            return [fail("The mail server", cause, "Set mail.smtp.username and secrets/mail__smtp__password.")]
        return []

    async def sender(self) -> Sequence[Finding]:
        """Look whether the address in From belongs to the account that sends."""
        mail = self._patient.settings.mail
        if mail.transport != "smtp":
            raise Skip("mail is not set up (mail.transport); everything else works")
        sender = parseaddr(mail.from_address)[1].rpartition("@")[2].casefold()
        account = mail.smtp.username.rpartition("@")[2].casefold() if "@" in mail.smtp.username else ""
        if not account or account == sender:
            return []
        cause = f"Mail comes from {sender} and is sent by an account of {account}: many receivers call that spam."
        return [warn("The sender", cause, "Change mail.from_address, or send with an account of that domain.")]

    async def mail_queue(self) -> Sequence[Finding]:
        """Look for mails that wait."""
        queues = await examine_queues(self._patient.database)
        if queues.oldest_mail_at is None or self._now - queues.oldest_mail_at <= LATE_MAIL:
            return []
        if self._patient.settings.mail.transport != "smtp":
            cause = f"{_count(queues.waiting_mails, 'mail')} wait for a mail server."
            return [hint("Waiting mails", cause, "Set mail up, so that buyers get their link.")]
        age = _span(self._now - queues.oldest_mail_at)
        cause = f"{_count(queues.waiting_mails, 'mail')} wait, the oldest since {age}."
        return [warn("Waiting mails", cause, "M01 says whether the mail server lets us in.")]

    async def public_address(self) -> Sequence[Finding]:
        """Look whether the public address answers as a Doorlist. Cannot tell this one from another."""
        if self._patient.settings.is_sandbox:
            raise Skip("the sandbox is for this machine only")
        url = self._patient.public_url
        status, text = await answer_of(f"{url}/health/live")
        if status == 200 and '"status"' in text:
            return []
        cause = f"{url} answers, but not as Doorlist ({status})."
        fix = f"Let the proxy pass everything on to {self._patient.settings.web.host}, without a path."
        return [Finding(outcome=Outcome.FAIL, what="The public address", cause=cause, fix=fix)]


def _span(age: timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 60 * 48 else f"{minutes // (60 * 24)} d"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"

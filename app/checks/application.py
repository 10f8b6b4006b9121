"""The application at Discord: its token, its switches, its commands (D01 to D06, D15)."""

from __future__ import annotations

from collections.abc import Sequence

from app.checks.making import BEFORE_START, EVERYWHERE, ONLY_CLI, check, fail, listed, warn
from app.checks.patient import Patient
from cogs.examination import differing_commands
from membership.checks import Area, Category, Check, Finding, Skip
from membership.errors import Blocked, Reason
from web.discord_login import CALLBACK_PATH

PORTAL = "Discord's developer portal"
_INTENTS = f"{PORTAL}: Bot → Privileged Gateway Intents"


def checks(patient: Patient) -> list[Check]:
    """Return the checks of this area."""
    look = Application(patient)
    area = Area.DISCORD
    return [
        check("D01", area, "The bot's token works", look.token, where={*BEFORE_START, Category.PANEL}),
        check("D02", area, "Sign-in with Discord works", look.sign_in, where=ONLY_CLI),
        check("D03", area, "The bot sees who joins", look.members_intent, where=EVERYWHERE),
        check("D04", area, "The bot can read !claim", look.content_intent, where=EVERYWHERE),
        check("D05", area, "Commands come to the bot", look.interactions_url, where=EVERYWHERE),
        check("D06", area, "The sign-in address is registered", look.redirect_url, where=ONLY_CLI),
        check("D15", area, "The slash commands are up to date", look.commands, where=EVERYWHERE),
    ]


class Application:
    """Looks at one application."""

    def __init__(self, patient: Patient) -> None:
        """Take what is looked at."""
        self._patient = patient
        self._settings = patient.settings.discord

    async def token(self) -> Sequence[Finding]:
        """Look whether Discord takes the token."""
        try:
            await self._patient.application()
        except Blocked as refusal:
            if refusal.reason is not Reason.CREDENTIALS_REFUSED:
                raise
            cause = "Discord refuses the bot's token (401). It was reset, or it is another application's."
            fix = f"{PORTAL}: Bot → Reset Token. Put the new one into secrets/discord__token and start again."
            return [fail("The bot's token", cause, fix)]
        return []

    async def sign_in(self) -> Sequence[Finding]:
        """Look whether client id and secret are the application's."""
        examiner = self._patient.examiner
        if not self._settings.client_id or not self._settings.client_secret.get_secret_value():
            cause = "discord.client_id or discord.client_secret is not set: buyers cannot connect their account."
            fix = (
                f"{PORTAL}: OAuth2. The id goes into discord.client_id, the secret into secrets/discord__client_secret."
            )
            return [fail("Sign-in with Discord", cause, fix)]
        if not await examiner.is_secret_accepted():
            cause = "Discord refuses the client secret: buyers cannot connect their account."
            fix = f"{PORTAL}: OAuth2 → Reset Secret. Put it into secrets/discord__client_secret."
            return [fail("Sign-in with Discord", cause, fix)]
        application = await self._patient.application()
        if self._settings.client_id != str(application.application_id):
            cause = f"discord.client_id is another application than the bot's own, {application.name}."
            return [fail("Sign-in with Discord", cause, f"Set discord.client_id = {application.application_id}.")]
        return []

    async def members_intent(self) -> Sequence[Finding]:
        """Look whether joins are seen at once."""
        if not self._settings.members_intent:
            raise Skip("discord.members_intent is off: joins are seen within five minutes")
        if (await self._patient.application()).has_members_intent:
            return []
        cause = "The Server Members intent is off: joins are seen only at the next run, five minutes later."
        fix = f"{_INTENTS} → Server Members, then start Doorlist again."
        return [fail("Server Members intent", cause, fix, repair=self._switch_on)]

    async def content_intent(self) -> Sequence[Finding]:
        """Look whether codes typed into a channel can be read."""
        if not self._settings.message_content_intent or not self._settings.claim_prefix:
            raise Skip("!claim in channels is turned off; /claim works without it")
        if (await self._patient.application()).has_content_intent:
            return []
        command = f"{self._settings.claim_prefix}claim"
        cause = f"The Message Content intent is off: {command} in channels does not work. /claim does."
        fix = f"{_INTENTS} → Message Content, then start Doorlist again."
        return [warn("Message Content intent", cause, fix, repair=self._switch_on)]

    async def interactions_url(self) -> Sequence[Finding]:
        """Look whether commands and buttons go somewhere else."""
        url = (await self._patient.application()).interactions_url
        if not url:
            return []
        cause = f"Discord sends commands and buttons to {url}, not to this bot: nobody gets an answer."
        fix = f"{PORTAL}: General Information → Interactions Endpoint URL → empty it."
        return [fail("Interactions endpoint", cause, fix, repair=self._clear)]

    async def redirect_url(self) -> Sequence[Finding]:
        """Look whether Discord sends people back to us after they signed in."""
        wanted = self._patient.public_url + CALLBACK_PATH
        if wanted in (await self._patient.application()).redirect_urls:
            return []
        cause = f"{wanted} is not registered: signing in ends with an error of Discord's."
        return [fail("Sign-in address", cause, f"{PORTAL}: OAuth2 → Redirects → Add {wanted}")]

    async def commands(self) -> Sequence[Finding]:
        """Look whether Discord has the commands of this version."""
        application, wanted = await self._patient.application(), self._patient.commands
        names = differing_commands(application.commands, wanted)
        if not names:
            return []

        async def send() -> str:
            await self._patient.examiner.send_commands(application.application_id, wanted)
            return "Sent the commands. People who have Discord open see them after Ctrl+R."

        cause = f"{len(names)} differ from this version: {listed(names)}."
        return [warn("Slash commands", cause, "They are sent at the next start.", repair=send)]

    async def _switch_on(self) -> str:
        await self._patient.examiner.switch_on_intents()
        return "Switched both intents on. Start Doorlist again, so that it asks for them."

    async def _clear(self) -> str:
        await self._patient.examiner.clear_interactions_url()
        return "Cleared the address. Commands come to the bot again."

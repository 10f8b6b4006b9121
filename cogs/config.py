"""The [discord] section of the configuration: the bot's identity and where Discord is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from cogs.claim_text import claim_command


class DiscordSettings(BaseModel):
    """The bot's identity and where Discord is; the sandbox changes only the addresses."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(default=SecretStr(""), description="Bot > Reset Token in Discord's developer portal")
    client_id: str = Field(default="", pattern=r"^\d*$", description="the application's id, for sign-in with Discord")
    client_secret: SecretStr = Field(default=SecretStr(""), description="OAuth2 > Reset Secret, for sign-in")
    operators: tuple[int, ...] = Field(
        default=(), description="Discord ids of people who run this Doorlist, beside the application's owners"
    )
    claim_prefix: str = Field(default="!", max_length=5, description='"!" makes !claim; "" turns the text command off')
    members_intent: bool = Field(default=True, description="sees joins at once; without it within five minutes")
    message_content_intent: bool = Field(default=True, description="needed for !claim; /claim works without it")
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg/"
    site_url: str = Field(default="https://discord.com", description="where people sign in")
    cdn_url: str = Field(default="https://cdn.discordapp.com", description="where Discord keeps servers' pictures")

    @property
    def claim_command(self) -> str:
        """Return what people type before a code; without the intent the bot cannot read it in a message."""
        return claim_command(self.claim_prefix if self.message_content_intent else "")

"""The [web] and [mail] sections of the configuration: where pages are served and how mail is sent."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, field_validator, model_validator

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


class WebSettings(BaseModel):
    """Where the pages are served and under which address the world reaches them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="address to listen on; 0.0.0.0 for all, behind a proxy")
    port: int = Field(default=8080, ge=0, le=65535, description="0 takes a free one")
    public_url: str = Field(
        default="",
        description="https://gate.example.com as members and providers reach it; empty: only this machine does",
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="addresses or networks whose X-Forwarded-For is believed, such as 127.0.0.1"
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, url: str) -> str:
        """Keep scheme and host only: cookies and redirect addresses hang on the exact origin."""
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/")):
            raise ValueError("must be https://HOST without a path")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("must be https outside this machine: sign-in cookies are sent over https only")
        return url.rstrip("/")


class SmtpSettings(BaseModel):
    """The mail server that takes our mail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = Field(default="starttls", description="none works on this machine only")
    username: str = ""
    password: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _is_private(self) -> SmtpSettings:
        if self.tls == "none" and self.host not in ("", *LOOPBACK_HOSTS):
            raise ValueError('tls = "none" would send the password readable for everybody on the way')
        return self


class MailSettings(BaseModel):
    """Whether mail is sent, and in whose name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transport: Literal["smtp", "none"] = Field(default="none", description="without mail everything else works")
    from_address: str = Field(default="", description="Ada's Trading Room <gate@example.com>")
    reply_to: str = Field(default="", description="who reads answers where a server names no support address")
    alerts_to: str = Field(
        default="",
        description="who is mailed when removals are held or a key is refused; empty: nobody",
    )
    smtp: SmtpSettings = SmtpSettings()

    @model_validator(mode="after")
    def _has_what_smtp_needs(self) -> MailSettings:
        if self.transport == "smtp" and not (self.smtp.host and self.from_address):
            raise ValueError('transport = "smtp" needs from_address and smtp.host')
        return self

"""The [database] section of the configuration: where Doorlist keeps what it knows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

SCHEMES = ("sqlite:///", "postgresql://")


class DatabaseSettings(BaseModel):
    """Where the database is and how secrets in it are encrypted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        default="sqlite:///data/doorlist.db",
        description="or postgresql://user@host/name; a relative SQLite path starts in Doorlist's folder",
    )
    encryption_key: SecretStr = Field(
        default=SecretStr(""),
        description="encrypts stored tokens; several keys, separated by commas: the first one writes. "
        "Empty: made at the first start",
    )

    @field_validator("url")
    @classmethod
    def _has_known_scheme(cls, url: str) -> str:
        if not url.startswith(SCHEMES):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url

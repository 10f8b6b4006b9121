"""All settings of the process, put together from each package's section and read from every place they may stand in.

Order, the last one wins: defaults, config.toml, secret files, DOORLIST_SECTION__KEY, the command line.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from app.catalogue import Setting, catalogue
from app.sources import (
    Finding,
    SettingsError,
    Sources,
    from_assignments,
    from_environment,
    from_secret_files,
    from_secret_names,
    from_toml,
)
from cogs.config import DiscordSettings
from membership.policy import Policy
from providers.config import PaymentsSettings
from storage.config import DatabaseSettings
from web.config import MailSettings, WebSettings

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseModel):
    """The whole configuration; each part is handed to its package by value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["auto", "live", "sandbox"] = Field(
        default="auto", description="auto | live | sandbox; auto is live once this file or a Discord token is there"
    )
    discord: DiscordSettings = DiscordSettings()
    web: WebSettings = WebSettings()
    mail: MailSettings = MailSettings()
    database: DatabaseSettings = DatabaseSettings()
    payments: PaymentsSettings = PaymentsSettings()
    policy: Policy = Policy()
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def origins(self) -> Mapping[str, str]:
        """Return where each setting that is no default was set, by key ("policy.code_days")."""
        return self._origins

    @property
    def is_sandbox(self) -> bool:
        """Tell whether Discord, Stripe and mail are the local ones."""
        return self.mode == "sandbox"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and, by key, where each one that is no default was set."""

    settings: Settings
    origins: dict[str, str]


def default_sources(*, config_file: Path | None = None, assignments: Sequence[str] = ()) -> Sources:
    """Return the places of this process. Raises SettingsError if a `config_file` that was asked for is not there."""
    if config_file and not config_file.exists():
        raise SettingsError([f"{config_file} does not exist."])
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return Sources(
        config_file=config_file or ROOT / "config.toml",
        own_secrets=ROOT / "secrets",
        shared_secrets=[Path("/run/secrets"), *([Path(credentials)] if credentials else [])],
        environment=os.environ,
        assignments=assignments,
    )


def load_settings(sources: Sources) -> Loaded:
    """Return the settings with `mode` decided. Raises SettingsError that names every wrong or unknown one."""
    known = catalogue(Settings)
    layers = _read(sources, known)
    findings = [finding for layer in layers for finding in layer]
    if problems := [_unknown(finding, known) for finding in findings if finding.key not in known]:
        raise SettingsError(problems)
    origins = {finding.key: finding.origin for finding in findings}
    try:
        settings = _merged([_nested(layer, known) for layer in layers])
    except ValidationError as error:
        values = {finding.key: finding.value for finding in findings}
        raise SettingsError(_rejections(error, known, origins, values)) from None
    is_configured = sources.config_file.exists() or "discord.token" in origins
    settings._origins = origins
    return Loaded(_decided(settings, is_configured=is_configured), origins)


def _read(sources: Sources, known: dict[str, Setting]) -> list[list[Finding]]:
    """Return the layers, the weakest first."""
    sections = {key.partition(".")[0] for key in known if "." in key}
    keys = set(known)
    return [
        from_toml(sources.config_file),
        from_secret_files(sources.own_secrets),
        *(from_secret_files(folder, sections=sections) for folder in sources.shared_secrets),
        from_secret_names(sources.environment, keys),
        from_environment(sources.environment, keys),
        from_assignments(sources.assignments),
    ]


def _unknown(finding: Finding, known: dict[str, Setting]) -> str:
    close = difflib.get_close_matches(finding.key, known, n=1)
    return f"{finding.origin}: there is no setting {finding.key}." + (f" Did you mean {close[0]}?" if close else "")


def _nested(layer: list[Finding], known: dict[str, Setting]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for finding in layer:
        *sections, name = finding.key.split(".")
        table = tree
        for section in sections:
            table = table.setdefault(section, {})
        table[name] = _as_list(finding.value) if known[finding.key].is_list else finding.value
    return tree


def _as_list(value: Any) -> Any:
    """Turn the text of a variable into a list: JSON, or parts separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return [part.strip() for part in value.split(",") if part.strip()]


def _merged(layers: list[dict[str, Any]]) -> Settings:
    class Layered(Settings, BaseSettings):
        """Settings whose sources are the layers; pydantic-settings merges them, the first one strongest."""

        model_config = SettingsConfigDict(extra="forbid", frozen=True)

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **__: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(InitSettingsSource(settings_cls, layer) for layer in reversed(layers))

    return Layered()


def _rejections(
    error: ValidationError, known: dict[str, Setting], origins: dict[str, str], values: dict[str, Any]
) -> list[str]:
    """Return one line for each value that was refused, without ever showing a secret."""
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"] if isinstance(part, str))
        message = problem["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
        origin = origins.get(key) or next((place for name, place in origins.items() if name.startswith(f"{key}.")), "")
        is_shown = key in values and not known[key].is_secret
        shown = f" = {without_password(json.dumps(values[key], default=str))}" if is_shown else ""
        lines.append(f"{origin or 'the defaults'}: {key}{shown}: {message}.")
    return lines


def without_password(text: str) -> str:
    """Hide the password in an address."""
    return re.sub(r"//[^@/\s]+@", "//***@", text)


def _decided(settings: Settings, *, is_configured: bool) -> Settings:
    mode = settings.mode if settings.mode != "auto" else ("live" if is_configured else "sandbox")
    if mode == "live" and not settings.discord.token.get_secret_value():
        raise SettingsError(
            ["discord.token is not set, and a live Doorlist needs it. Put it into secrets/discord__token."]
        )
    database = settings.database.model_copy(update={"url": _anchored(settings.database.url)})
    return settings.model_copy(update={"mode": mode, "database": database})


def _anchored(url: str) -> str:
    """Let a relative SQLite path start in Doorlist's folder, wherever the process was started."""
    path = url.removeprefix("sqlite:///")
    return url if path in (url, ":memory:") else f"sqlite:///{ROOT / path}"

"""The settings and the secrets (C01 to C07)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from app.catalogue import catalogue
from app.checks.making import BEFORE_START, EVERYWHERE, ONLY_CLI, check, fail, hint, listed, warn
from app.checks.patient import Patient
from app.settings import Settings
from membership.checks import Area, Check, Finding, Skip
from web.config import LOOPBACK_HOSTS

REAL_DISCORD = "discord.com"
_PLACEHOLDERS = ("changeme", "change-me", "your-", "your_", "replace", "xxxx", "example-token", "todo")
_READABLE_BY_OTHERS = 0o077


def checks(patient: Patient) -> list[Check]:
    """Return the checks of this area."""
    settings = patient.settings

    async def readable() -> Sequence[Finding]:
        return []  # what cannot be read has no patient: the command reports it by itself

    async def secrets() -> Sequence[Finding]:
        return judge_secrets(patient.origins, _secret_keys(), _folder(patient) / "secrets", patient.config_file)

    async def placeholders() -> Sequence[Finding]:
        return judge_placeholders(secret_values(settings))

    async def mode() -> Sequence[Finding]:
        _only_live(settings)
        return judge_mode(settings)

    async def address() -> Sequence[Finding]:
        _only_live(settings)
        return judge_address(settings.web.public_url)

    async def proxies() -> Sequence[Finding]:
        _only_live(settings)
        return judge_proxies(settings)

    async def key() -> Sequence[Finding]:
        if flaw := patient.flaws.get("C07"):
            return [flaw]
        _ = patient.database  # it is open, so its sealed sample was opened too
        return []

    area = Area.CONFIGURATION
    return [
        check("C01", area, "The configuration can be read", readable, where=ONLY_CLI),
        check("C02", area, "Secrets are kept from others", secrets, where=ONLY_CLI),
        check("C03", area, "Nothing is a placeholder", placeholders, where=BEFORE_START),
        check("C04", area, "All parts are in one mode", mode),
        check("C05", area, "The public address is right", address, where=EVERYWHERE),
        check("C06", area, "The proxy is known", proxies, where=ONLY_CLI),
        check("C07", area, "The encryption key fits the database", key, where=ONLY_CLI),
    ]


def secret_values(settings: Settings) -> Mapping[str, str]:
    """Return the secrets that are set, by their key."""
    return {key: value for key, value in _secrets_of(settings, "") if value}


def judge_secrets(origins: Mapping[str, str], keys: Iterable[str], folder: Path, config: Path) -> list[Finding]:
    """Look whether secrets stand in config.toml, or in files that others may read."""
    findings = []
    inside = [key for key in keys if origins.get(key, "").startswith(config.name)]
    if inside:
        names = listed([f"secrets/{key.replace('.', '__')}" for key in inside])
        cause = f"{config.name} holds {listed(inside)}. That file gets copied, shown and committed."
        findings.append(warn("Secrets in the configuration", cause, f"Move each into a file of its own: {names}"))
    files = list(folder.iterdir()) if folder.is_dir() else []
    if inside and config.exists():
        files.append(config)
    if loose := [path for path in files if path.is_file() and path.stat().st_mode & _READABLE_BY_OTHERS]:
        cause = f"Other users of this machine may read {listed([path.name for path in loose])}."

        async def close() -> str:
            for path in loose:
                path.chmod(0o600)
            return f"Only you can read {listed([path.name for path in loose])} now."

        fix = f"chmod 600 {' '.join(str(path) for path in loose[:5])}"
        findings.append(warn("Secrets that others may read", cause, fix, repair=close))
    return findings


def judge_placeholders(secrets: Mapping[str, str]) -> list[Finding]:
    """Look for values that were copied from an example."""
    wrong = [key for key, value in secrets.items() if _is_placeholder(value)]
    if not wrong:
        return []
    fix = f"Put the real value into secrets/{wrong[0].replace('.', '__')}; README.md says where to find it."
    return [fail("Placeholders", f"{listed(wrong)} was never filled in.", fix)]


def judge_mode(settings: Settings) -> list[Finding]:
    """Look whether payments and Discord are both real, or both for trying out."""
    key = settings.payments.stripe.api_key.get_secret_value()
    is_discord_real = (urlsplit(settings.discord.api_url).hostname or "").endswith(REAL_DISCORD)
    if key.startswith(("sk_live_", "rk_live_")) and not is_discord_real:
        cause = "Payments are live, but Discord is not the real one: who pays gets nothing."
        return [hint("The mode", cause, "Remove discord.api_url, or use a test key.")]
    if key.startswith(("sk_test_", "rk_test_")) and is_discord_real:
        cause = "Payments are in test mode: nobody can buy with real money."
        return [hint("The mode", cause, "Set a live key when you have tried everything: payments.stripe.api_key")]
    return []


def judge_address(url: str) -> list[Finding]:
    """Look at the address that buyers and payment platforms are sent to."""
    host = urlsplit(url).hostname or ""
    if host and host not in LOOPBACK_HOSTS:
        return []
    shown = url or "not set"
    cause = f"web.public_url is {shown}: links in mails, sign-in and webhooks only work on this machine."
    return [fail("The public address", cause, 'Set web.public_url = "https://gate.example.com".')]


def judge_proxies(settings: Settings) -> list[Finding]:
    """Look whether the proxy that must be there is trusted: https ends somewhere, and it is not here."""
    is_behind = settings.web.public_url.startswith("https://") and settings.web.host in LOOPBACK_HOSTS
    if not is_behind or settings.web.trusted_proxies:
        return []
    cause = "A proxy on this machine passes everybody on, and it is not trusted: they all share one rate limit."
    return [warn("The proxy", cause, 'Set web.trusted_proxies = ["127.0.0.1"].')]


def _is_placeholder(value: str) -> bool:
    folded = value.strip().casefold()
    return folded.startswith(_PLACEHOLDERS) or (folded.startswith("<") and folded.endswith(">")) or set(folded) == {"."}


def _only_live(settings: Settings) -> None:
    if settings.is_sandbox:
        raise Skip("nothing is configured yet; the sandbox brings its own")


def _folder(patient: Patient) -> Path:
    return patient.config_file.parent


def _secret_keys() -> list[str]:
    return [setting.key for setting in catalogue(Settings).values() if setting.is_secret]


def _secrets_of(section: BaseModel, prefix: str) -> Iterable[tuple[str, str]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, SecretStr):
            yield prefix + name, value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets_of(value, f"{prefix}{name}.")

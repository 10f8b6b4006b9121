"""What the doctor says of the machine and the settings, rule by rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.checks import configuration, environment
from app.settings import Settings
from membership.checks import Finding, Outcome
from storage.examination import network_disk

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LOCK = "aiohttp==3.14.5 \\\n    --hash=sha256:1\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n"
MEMINFO = "MemTotal:        2000000 kB\nMemAvailable:     122880 kB\n"
MOUNTS = "/dev/sda1 / ext4 rw 0 0\nnas:/data /srv/doorlist nfs4 rw 0 0\ntmpfs /srv/doorlist/tmp tmpfs rw 0 0\n"


def said(found: Sequence[Finding], outcome: Outcome) -> str:
    """Return the cause of the one finding."""
    (finding,) = found
    assert finding.outcome is outcome
    assert finding.fix
    return finding.cause


def settings(**sections: dict[str, object]) -> Settings:
    return Settings.model_validate({"mode": "live", **sections})


def paying_with(key: str, api_url: str = "https://discord.com/api/v10") -> Settings:
    return settings(discord={"api_url": api_url}, payments={"stripe": {"api_key": key}})


def test_an_old_python_is_named() -> None:
    assert environment.judge_python((3, 11)) == []
    assert said(environment.judge_python((3, 10)), Outcome.FAIL) == "Python 3.10 is too old."


@pytest.mark.parametrize(("version", "shown"), [("3.9.1", "aiohttp is 3.9.1"), ("", "aiohttp is missing")])
def test_packages_that_differ_from_the_lock_are_named(version: str, shown: str) -> None:
    assert environment.judge_packages(LOCK, lambda _: "3.14.5") == []
    assert shown in said(environment.judge_packages(LOCK, lambda _: version), Outcome.WARN)


@pytest.mark.parametrize(("drift", "shown"), [(6, "6 min ahead of"), (-6, "6 min behind")])
def test_a_wrong_clock_is_told_by_how_much(drift: int, shown: str) -> None:
    assert environment.judge_clock(NOW + timedelta(seconds=119), NOW) == []
    assert shown in said(environment.judge_clock(NOW + timedelta(minutes=drift), NOW), Outcome.FAIL)


def test_a_folder_that_is_not_there_yet_is_fine_where_it_can_be_made(tmp_path: Path) -> None:
    assert environment.judge_folder(tmp_path / "data" / "deeper") == []
    assert environment.judge_folder(tmp_path) == []


def test_little_memory_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text(MEMINFO)
    assert "120 MB of memory" in said(environment.judge_room(tmp_path, environment.memory_bytes(file)), Outcome.WARN)
    assert environment.judge_room(tmp_path, environment.LEAST_MEMORY_BYTES) == []
    assert environment.memory_bytes(tmp_path / "nowhere") is None


def test_an_unknown_time_zone_is_a_hint() -> None:
    assert environment.judge_zones("Europe/Rome") == []
    assert "Europe/Nowhere" in said(environment.judge_zones("Europe/Nowhere"), Outcome.HINT)


def test_secrets_in_the_configuration_file_are_named(tmp_path: Path) -> None:
    origins = {"discord.token": "config.toml line 3", "web.port": "config.toml line 9"}
    found = configuration.judge_secrets(origins, ["discord.token"], tmp_path / "secrets", tmp_path / "config.toml")
    assert "config.toml holds discord.token." in said(found, Outcome.WARN)
    assert configuration.judge_secrets({}, ["discord.token"], tmp_path / "secrets", tmp_path / "config.toml") == []


async def test_secrets_that_others_may_read_are_closed(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    secret = folder / "discord__token"
    secret.write_text("secret")
    secret.chmod(0o644)
    (finding,) = configuration.judge_secrets({}, [], folder, tmp_path / "config.toml")
    assert "discord__token" in finding.cause
    assert finding.repair is not None
    await finding.repair()
    assert secret.stat().st_mode & 0o777 == 0o600
    assert configuration.judge_secrets({}, [], folder, tmp_path / "config.toml") == []


@pytest.mark.parametrize("value", ["changeme", "your-token-here", "<token>", "..."])
def test_a_placeholder_is_no_secret(value: str) -> None:
    assert "discord.token" in said(configuration.judge_placeholders({"discord.token": value}), Outcome.FAIL)
    assert configuration.judge_placeholders({"discord.token": "MTk4NjIyNDgzNDcxOTI1MjQ4"}) == []


def test_real_payments_with_a_played_discord_are_a_hint() -> None:
    assert "who pays gets nothing" in said(
        configuration.judge_mode(paying_with("rk_live_1", "http://127.0.0.1:9/api")), Outcome.HINT
    )
    assert configuration.judge_mode(paying_with("rk_live_1")) == []


def test_played_payments_with_a_real_discord_are_a_hint() -> None:
    assert "test mode" in said(configuration.judge_mode(paying_with("sk_test_1")), Outcome.HINT)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8080", "https://localhost"])
def test_an_address_of_this_machine_is_none_for_buyers(url: str) -> None:
    assert "only work on this machine" in said(configuration.judge_address(url), Outcome.FAIL)
    assert configuration.judge_address("https://gate.example.com") == []


def test_a_proxy_that_is_not_trusted_is_a_warning() -> None:
    public: dict[str, object] = {"public_url": "https://gate.example.com"}
    assert "one rate limit" in said(configuration.judge_proxies(settings(web=public)), Outcome.WARN)
    assert configuration.judge_proxies(settings(web={**public, "trusted_proxies": ["127.0.0.1"]})) == []
    assert configuration.judge_proxies(settings(web={**public, "host": "0.0.0.0"})) == []


def test_every_secret_is_looked_at() -> None:
    chosen = Settings.model_validate({"mail": {"smtp": {"password": "hunter2"}}})
    assert configuration.secret_values(chosen) == {"mail.smtp.password": "hunter2"}
    assert SecretStr("hunter2") == chosen.mail.smtp.password


@pytest.mark.parametrize(
    ("file", "kind"),
    [("/srv/doorlist/data.db", "nfs4"), ("/srv/doorlist/tmp/data.db", ""), ("/home/ada/data.db", "")],
)
def test_a_network_disk_is_told_by_the_nearest_mount(file: str, kind: str) -> None:
    assert network_disk(Path(file), MOUNTS) == kind

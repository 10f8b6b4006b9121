"""`python3 bot.py doctor`: what it prints, what it exits with, what it repairs, and that it harms nobody who runs."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys

import pytest

from app.cli import ROOT, main
from membership.model import RoleId
from storage.examination import database_file
from tests.app.clinic import Clinic

LIVE = ("--set", "mode=live")


def assignments(clinic: Clinic) -> list[str]:
    """Return the command line that points a Doorlist at the clinic."""
    settings = clinic.settings
    stripe, discord = settings.payments.stripe, settings.discord
    values = {
        "mode": "live",
        "discord.token": discord.token.get_secret_value(),
        "discord.client_id": discord.client_id,
        "discord.client_secret": discord.client_secret.get_secret_value(),
        "discord.api_url": discord.api_url,
        "discord.gateway_url": discord.gateway_url,
        "discord.site_url": discord.site_url,
        "payments.stripe.api_key": stripe.api_key.get_secret_value(),
        "payments.stripe.webhook_secret": stripe.webhook_secret.get_secret_value(),
        "payments.stripe.api_url": stripe.api_url,
        "database.url": settings.database.url,
        "database.encryption_key": settings.database.encryption_key.get_secret_value(),
        "web.public_url": settings.web.public_url,
        "web.port": str(settings.web.port),
    }
    return [part for name, value in values.items() for part in ("--set", f"{name}={value}")]


async def run(clinic: Clinic, *arguments: str) -> int:
    """Run the command as another process would, beside everything else."""
    return await asyncio.to_thread(main, [*assignments(clinic), *arguments])


def test_without_a_configuration_it_says_what_is_skipped_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "mode=sandbox", "doctor"]) == 0
    shown = capsys.readouterr().out
    assert "D01–D17 skipped: nothing is configured yet" in shown
    assert "17 skipped" in shown


def test_a_configuration_that_cannot_be_read_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "reconsile.minutes=5", "doctor"]) == 1
    shown = capsys.readouterr().out
    assert "✗ C01" in shown
    assert "reconsile.minutes" in shown


def test_an_unknown_area_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "mode=sandbox", "doctor", "weather"]) == 2
    assert "there is no area weather" in capsys.readouterr().err


def test_repairs_have_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "mode=sandbox", "doctor", "--fix", "--json"]) == 2
    assert "--json" in capsys.readouterr().err


def test_it_looks_at_the_named_areas_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "mode=sandbox", "doctor", "environment"]) == 0
    shown = capsys.readouterr().out
    assert "Environment" in shown
    assert "Payments" not in shown


async def test_what_failed_is_shown_in_full_and_the_rest_counted(
    clinic: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic.outside.seed.server.vip.position = 20
    assert await run(clinic, "doctor", "discord", "payments") == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[:3] == [
        "Discord  16 fine · 1 failed",
        '  ✗ D08  Role order in "Demo Server"',
        "         VIP (position 20) is above Doorlist (position 10). Discord will refuse to give VIP.",
    ]
    assert shown[3].startswith('         Fix: Server Settings → Roles → drag "Doorlist" above "VIP"')
    assert "Payments 9 fine" in shown
    assert shown[-1] == "26 checks: 25 fine, 1 failed"


async def test_it_exits_with_3_when_it_cannot_know(clinic: Clinic) -> None:
    clinic.outside.discord.go_down()
    assert await run(clinic, "doctor", "discord") == 3


async def test_it_prints_json(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    await clinic.plan(roles=(RoleId(4711),))
    assert await run(clinic, "doctor", "discord", "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    (failed,) = (check for check in shown["checks"] if check["outcome"] == "fail")
    assert (failed["id"], failed["is_fixable"]) == ("D11", True)
    assert shown["summary"] == {"fine": 16, "failed": 1, "warning": 0, "hint": 0, "skipped": 0}


async def test_it_repairs_and_looks_again(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    portal = clinic.outside.discord.portal
    portal.interactions_url = "https://old.example/"
    assert await run(clinic, "doctor", "discord", "--fix", "--yes") == 0
    assert not portal.interactions_url
    shown = capsys.readouterr().out
    assert "✓ Cleared the address" in shown
    assert shown.count("D05") == 2


async def test_a_repair_that_is_not_wanted_is_not_made(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.outside.discord.portal.interactions_url = "https://old.example/"
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: "n")
    assert await run(clinic, "doctor", "discord", "--fix") == 1
    assert clinic.outside.discord.portal.interactions_url == "https://old.example/"


async def test_a_database_of_another_version_is_reported_and_left_alone(clinic: Clinic) -> None:
    file = database_file(clinic.settings.database)
    assert file is not None
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    found = {result.id: result for result in await clinic.look("S01", "S02", "J01")}
    assert "of a newer Doorlist" in found["S02"].cause
    assert found["S01"].outcome == found["J01"].outcome == "skip"


async def test_a_start_with_a_refused_token_ends_in_words(clinic: Clinic) -> None:
    clinic.outside.discord.portal.token = "another"
    own_database = ("--set", f"database.url=sqlite:///{clinic.folder}/own.db", "--set", "web.port=0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "bot.py", *assignments(clinic), *own_database, "run", cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert "✗ D01  Discord refuses the bot's token (401)" in said.decode()


def test_a_start_with_a_placeholder_ends_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*LIVE, "--set", "discord.token=changeme", "run"]) == 2
    assert "✗ C03  discord.token was never filled in" in capsys.readouterr().err

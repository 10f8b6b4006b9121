"""`python3 bot.py admin-link`: a link for whoever sits at the console, also beside a running Doorlist."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from app.cli import main
from membership import first_sign_in
from membership.codes import digest
from membership.model import UserId
from tests.app.clinic import Clinic
from tests.app.test_command import assignments

BOSS = UserId(77)


async def test_the_printed_link_makes_an_operator_of_a_running_doorlist(
    clinic: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, [*assignments(clinic), "admin-link"]) == 0
    found = re.search(rf"{clinic.services.public_url}/admin/first/(\S+)", capsys.readouterr().out)
    assert found is not None
    link = await first_sign_in.take(clinic.services, digest(found[1]), BOSS)
    assert link == first_sign_in.FirstLink(user_id=None, may_operate=True)
    assert BOSS in clinic.services.operators.ids


async def test_a_link_for_somebody_serves_them_alone(clinic: Clinic, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(main, [*assignments(clinic), "admin-link", "--as", str(BOSS)]) == 0
    shown = capsys.readouterr().out
    found = re.search(r"/admin/first/(\S+)", shown)
    assert found is not None
    assert f"only the account {BOSS}" in shown
    link = await first_sign_in.look(clinic.services, digest(found[1]))
    assert link == first_sign_in.FirstLink(user_id=BOSS, may_operate=True)


def test_the_sandbox_needs_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--set", "mode=sandbox", "admin-link"]) == 2
    assert "sign in as Olga" in capsys.readouterr().err


def test_before_the_first_start_there_is_nothing_to_link_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = f"database.url=sqlite:///{tmp_path}/none.db"
    assert main(["--set", "discord.token=token", "--set", database, "admin-link"]) == 2
    assert "Start Doorlist, then try again" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()

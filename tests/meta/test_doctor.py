"""docs/doctor.md lists every check, and no other, with where it runs."""

from __future__ import annotations

import re
from pathlib import Path

from app.checks.every import every_check
from app.checks.patient import Part, Patient, Source
from app.process import SystemClock
from app.settings import ROOT, Settings
from membership.checks import Category, Skip

DOCUMENT = ROOT / "docs" / "doctor.md"


def a_patient() -> Patient:
    closed: Part[None] = Part(why=Skip("nothing is open"))
    return Patient(
        Source(
            settings=Settings(),
            origins={},
            config_file=Path("config.toml"),
            clock=SystemClock(),
            database=closed,  # type: ignore[arg-type]
            services=closed,  # type: ignore[arg-type]
            examiner=closed,  # type: ignore[arg-type]
            commands=closed,  # type: ignore[arg-type]
            public_url="",
        )
    )


def test_every_check_is_explained_with_where_it_runs() -> None:
    listed = dict(re.findall(r"^\| ([A-Z]\d\d) \|.*\| ([a-z, ]*) ?\|$", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    made = {check.id: check.categories for check in every_check(a_patient())}
    assert listed.keys() == made.keys()
    for number, categories in made.items():
        assert ("start" in listed[number], "panel" in listed[number]) == (
            Category.START in categories,
            Category.PANEL in categories,
        ), number


def test_no_two_checks_share_an_id() -> None:
    ids = [check.id for check in every_check(a_patient())]
    assert len(ids) == len(set(ids))

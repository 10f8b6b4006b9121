"""The terminal's pretty lines: facts in columns, names before numbers."""

from __future__ import annotations

import pytest
import structlog

from app.console import configure_log, pretty

FACTS: list[tuple[dict[str, object], str]] = [
    (
        {"event": "grant_delivered", "plan": "VIP", "reason": "paid", "user_id": 1573487267190669314},
        "14:02:31  grant      delivered       VIP → …9314  because paid",
    ),
    (
        {"event": "role_removed", "role_ids": ["1573487267190669322"], "user_id": 7},
        "14:02:31  role       removed         → 7",
    ),
    ({"event": "mail_sent", "template": "ended", "message_id": "4.17"}, "14:02:31  mail       sent            ended"),
    (
        {"event": "job_put_off", "kind": "member", "key": "1:2", "why": "discord_away", "wait_seconds": 2.0},
        "14:02:31  job        put off         member  because discord away  wait_seconds=2.0",
    ),
]


def line(event: dict[str, object]) -> str:
    return pretty(None, "info", {"ts": "14:02:31", "level": "info", **event})


@pytest.mark.parametrize(("event", "shown"), FACTS)
def test_a_fact_is_told_in_columns(event: dict[str, object], shown: str) -> None:
    assert line(event) == shown


def test_a_traceback_follows_its_line() -> None:
    assert line({"event": "job_failed", "exception": "Traceback"}).splitlines()[1] == "Traceback"


def test_only_pages_that_failed_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        configure_log("pretty")
        log = structlog.get_logger()
        log.info("page_served", route="/buy/{slug}", status=404)
        log.info("page_served", route="/welcome", status=500)
    finally:
        structlog.reset_defaults()
    shown = [line.split()[1:] for line in capsys.readouterr().out.splitlines()]
    assert shown == [["page", "served", "/welcome", "status=500"]]

"""A short slice of every benchmark: it runs, and its last line can be read. Times are never asserted here."""

from __future__ import annotations

import click
import pytest

import bench
from bench.results import last_line, parsed, percentile


def values_of(name: str, arguments: list[str], output: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Run a benchmark and return the values of its last line."""
    assert bench.run(name, arguments) == 0
    found, values = parsed(output.readouterr().out.splitlines()[-1])
    assert found == name
    return {key: float(value) for key, value in values.items()}


def test_ingest_stores_every_event_that_it_acknowledged(capsys: pytest.CaptureFixture[str]) -> None:
    values = values_of("ingest", ["--rounds", "1", "--requests", "100", "--connections", "8"], capsys)
    assert values["stored"] == values["sent"] == 120
    assert values["ratio"] > 0


def test_latency_costs_one_query_and_one_role_write_for_each_grant(capsys: pytest.CaptureFixture[str]) -> None:
    values = values_of("latency", ["--grants", "3", "--pause", "0"], capsys)
    assert (values["queries_each"], values["role_writes_each"], values["other_calls_each"]) == (1, 1, 0)
    assert 0 < values["p50_ms"] <= values["p99_ms"]


def test_the_sweep_writes_exactly_what_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    values = values_of("sweep", ["--members", "300", "--drift", "0.02"], capsys)
    assert (values["role_writes"], values["lost"], values["repairs"]) == (0, 6, 6)
    assert values["queries"] == 3


def test_the_burst_causes_no_429(capsys: pytest.CaptureFixture[str]) -> None:
    values = values_of("burst", ["--purchases", "60", "--windows", "4", "--claims", "1", "--scale", "0.05"], capsys)
    assert values["too_many"] == 0
    assert values["writes"] > 20
    assert values["slowest_claim_seconds"] > 0


def test_boot_gets_both_kinds_of_process_ready(capsys: pytest.CaptureFixture[str]) -> None:
    values = values_of("boot", ["--starts", "1", "--settle", "0"], capsys)
    assert values["sandbox_seconds"] > 0
    assert values["alone_seconds"] > 0


def test_the_preview_moves_everybody(capsys: pytest.CaptureFixture[str]) -> None:
    values = values_of("preview", ["--members", "250"], capsys)
    assert values["touched"] == 250
    assert values["first_page_seconds"] > 0


def test_pages_open_while_webhooks_arrive_and_the_file_has_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    values = values_of("pages", ["--members", "300", "--requests", "2"], capsys)
    assert values["rows"] == 300
    assert values["webhooks_per_second"] > 0
    assert values["list_p99_ms"] > 0


def test_an_unknown_benchmark_names_the_known_ones() -> None:
    with pytest.raises(click.UsageError, match="boot, burst, ingest, interactions, latency, pages, preview, sweep"):
        bench.run("speed", [])


def test_a_last_line_can_be_read_back() -> None:
    line = last_line("ingest", ratio=0.68312, requests=4000, unit="ms")
    assert parsed(line) == ("ingest", {"ratio": "0.6831", "requests": "4000", "unit": "ms"})


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.99, 10), (0.1, 1), (0, 1), (1, 10)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == expected

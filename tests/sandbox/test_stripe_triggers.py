"""Stripe's own trigger scripts (tests/fixtures/stripe-cli-triggers) must provoke the event they are named after."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.stripe_stage import Stage, a_stage

FOLDER = Path(__file__).parents[1] / "fixtures" / "stripe-cli-triggers"
SCRIPTS: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
CLI_VERSION = {"Stripe-Version": "2024-06-20"}  # the scripts use parameters that the current version has dropped
DEBIT_ARRIVES = timedelta(minutes=5)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


def encode(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield form fields the way Stripe's CLI writes them."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from encode(child, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from encode(child, f"{name}[{index}]")
    else:
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def fill(value: Any, answers: dict[str, Any]) -> Any:
    """Replace `${step:path.0.id}` by what an earlier step answered."""
    if isinstance(value, dict):
        return {key: fill(child, answers) for key, child in value.items()}
    if isinstance(value, list):
        return [fill(child, answers) for child in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\{(\w+):([\w.]+)\}", lambda match: look_up(answers[match[1]], match[2]), value)


def look_up(answer: Any, path: str) -> str:
    for step in path.split("."):
        answer = answer[int(step)] if step.isdigit() else answer[step]
    return str(answer)


async def play(stage: Stage, script: dict[str, Any]) -> None:
    answers: dict[str, Any] = {}
    for step in script["fixtures"]:
        fields = dict(encode(fill(step.get("params", {}), answers)))
        method = step["method"].upper()
        options: dict[str, Any] = {"params" if method == "GET" else "data": fields}
        status, body = await stage.call(method, fill(step["path"], answers), headers=CLI_VERSION, **options)
        if status != 200:
            assert body["error"]["type"] == step.get("expected_error_type"), body
        answers[step["name"]] = body


@pytest.mark.parametrize("event", SCRIPTS)
async def test_the_script_provokes_the_event_it_is_named_after(stage: Stage, event: str) -> None:
    await play(stage, SCRIPTS[event])
    await stage.clock.advance(DEBIT_ARRIVES)
    assert event in await stage.delivered()


def test_there_are_scripts_to_play() -> None:
    assert len(SCRIPTS) == 32

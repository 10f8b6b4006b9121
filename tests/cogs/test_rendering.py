"""Cards stay inside Discord's limits, whatever is put on them."""

from __future__ import annotations

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogs.cards import (
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Field,
    Form,
    Line,
    Option,
    Row,
    Shape,
    Text,
    custom_id,
    read_custom_id,
)
from cogs.rendering import modal, view
from sandbox.discord.walking import walk

texts = st.text(max_size=1500)
buttons = st.builds(Button, label=texts, action=st.just("undo"), args=st.tuples(st.integers(0, 10**18)))
options = st.lists(st.builds(Option, label=texts, value=st.uuids().map(str), about=texts), min_size=1, max_size=40)
lines: st.SearchStrategy[Line] = st.one_of(
    st.builds(Text, texts),
    st.builds(Row, texts, buttons),
    st.builds(Buttons, st.lists(buttons, min_size=1, max_size=7).map(tuple)),
    st.builds(Divider),
    st.builds(Choice, action=st.just("pick"), placeholder=texts, options=options.map(tuple), most=st.integers(1, 30)),
)


@settings(max_examples=60, deadline=None)
@given(st.builds(Card, title=st.text(max_size=300), lines=st.lists(lines, min_size=1, max_size=60).map(tuple)))
async def test_any_card_fits_into_a_message(card: Card) -> None:
    drawn = view(card)
    parts = list(walk(drawn.to_components()))  # type: ignore[no-untyped-call]
    assert len(parts) <= 40
    assert sum(len(part.get("content", "")) for part in parts) <= 4000
    assert all(len(part.get("label") or "") <= 80 and len(part.get("options") or []) <= 25 for part in parts)
    assert drawn.is_finished(), "discord.py would keep it in memory"


async def test_what_does_not_fit_is_counted_and_the_buttons_stay() -> None:
    card = Card(lines=(*(Text("x" * 500) for _ in range(20)), Buttons((Button(label="Release 38", action="undo"),))))
    parts = list(walk(view(card).to_components()))  # type: ignore[no-untyped-call]
    assert "… and 13 more" in [part.get("content", "").removeprefix("-# ") for part in parts]
    assert parts[-1]["label"] == "Release 38"


async def test_a_form_is_not_kept_in_memory_and_carries_its_action() -> None:
    shapes = (Shape.TEXT, Shape.LONG_TEXT, Shape.OPTIONS, Shape.RADIO, Shape.CHECK)
    asked = tuple(
        Field(name=each, label=each, shape=each, options=(Option(label="a", value="1"),) * 2) for each in shapes
    )
    drawn = modal(Form(title="T" * 60, action="plan-edit", args=(7,), fields=asked))
    assert drawn.is_finished()
    assert drawn.custom_id == "door:plan-edit:7"
    assert len(drawn.title) == 45
    assert isinstance(drawn.children[0], discord.ui.Label)


def test_a_custom_id_is_read_back() -> None:
    assert read_custom_id(custom_id("member-why", (1, "x"))) == ("member-why", ("1", "x"))
    assert read_custom_id("somebody-elses") is None


@pytest.mark.parametrize("args", [("a:b",), ("x" * 100,)])
def test_an_argument_that_cannot_be_read_back_is_refused(args: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="custom_id"):
        custom_id("undo", args)

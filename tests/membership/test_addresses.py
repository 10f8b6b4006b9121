"""When two addresses are one mailbox."""

from __future__ import annotations

import pytest

from membership.addresses import same_address


@pytest.mark.parametrize(
    ("one", "other"),
    [("ada@example.com", "Ada@Example.COM"), (" ada@example.com", "ada@example.com"), ("é@x.de", "e\u0301@x.de")],
)
def test_capitals_and_ways_to_write_a_letter_make_no_difference(one: str, other: str) -> None:
    assert same_address(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a@straße.de", "a@strasse.de"), ("a@x.de", "\uff41@x.de"), ("ı@x.de", "i@x.de"), ("", "")],
)
def test_letters_that_only_look_alike_are_two_people(one: str, other: str) -> None:
    assert not same_address(one, other)

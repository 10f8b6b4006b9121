"""Seals and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from storage.secrets import BadKey, Seal, WrongKey, find_keys

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_was_sealed_for_a_row_opens_for_that_row() -> None:
    seal = Seal([OLD])
    assert seal.open(seal.close("grüße\0", row="sessions:web:1"), row="sessions:web:1") == "grüße\0"


def test_a_token_that_was_moved_to_another_row_does_not_open() -> None:
    seal = Seal([OLD])
    with pytest.raises(WrongKey, match="moved"):
        seal.open(seal.close("secret", row="sessions:web:1"), row="sessions:web:2")


def test_a_changed_token_does_not_open() -> None:
    seal = Seal([OLD])
    token = seal.close("secret", row="a")
    with pytest.raises(WrongKey):
        seal.open(token[:-6] + "AAAAA=", row="a")


def test_after_a_rotation_old_tokens_open_and_new_ones_need_the_new_key() -> None:
    rotated = Seal([NEW, OLD])
    assert rotated.open(Seal([OLD]).close("secret", row="a"), row="a") == "secret"
    with pytest.raises(WrongKey):
        Seal([OLD]).open(rotated.close("secret", row="a"), row="a")


def test_a_renewed_token_no_longer_needs_the_old_key() -> None:
    renewed = Seal([NEW, OLD]).renew(Seal([OLD]).close("secret", row="a"))
    assert Seal([NEW]).open(renewed, row="a") == "secret"


def test_a_token_of_a_lost_key_cannot_be_renewed() -> None:
    with pytest.raises(WrongKey):
        Seal([NEW]).renew(Seal([OLD]).close("secret", row="a"))


def test_a_key_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(BadKey, match="44 characters"):
        Seal(["password"])


def test_keys_of_the_setting_come_before_the_file(tmp_path: Path) -> None:
    assert find_keys(f" {NEW}, {OLD},", tmp_path) == [NEW, OLD]
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_is_made_once(tmp_path: Path) -> None:
    assert find_keys("", tmp_path / "data") == find_keys("", tmp_path / "data")

"""What is said about the rows held about a person."""

from __future__ import annotations

from cogs.cards import Text
from cogs.privacy_cards import erase_card
from membership.model import GuildId, UserId
from membership.privacy import Held
from membership.privacy_ledger import Person, Rows


def test_what_is_held_is_counted_in_words_for_one_and_for_many() -> None:
    rows: Rows = {"purchases": [{}], "links": [{}, {}], "audit_entries": [{}] * 14}
    person = Person(guild_id=GuildId(1), customers=(), user_id=UserId(7))
    card = erase_card(Held(subject="u7", person=person, rows=rows, is_shared=False))
    assert card.lines[0] == Text("<@7>\n1 purchase, 2 connections, 14 lines of history")

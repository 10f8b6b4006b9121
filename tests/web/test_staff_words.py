"""Words for staff: every event, reason and problem has some, in every language."""

from __future__ import annotations

import pytest

from locales.catalogue import locales, words_for
from membership.errors import Reason
from membership.events import EVENTS, Group
from membership.problem_kinds import Kind, Problem
from web.admin.problem_words import card_of
from web.admin.staff_words import event_title, group_title, reason_text

ENGLISH = words_for("en")


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_is_called_on_pages_what_it_is_called_in_discord(name: str) -> None:
    assert event_title(ENGLISH, name) == EVENTS[name].title


def test_what_is_no_event_of_the_list_keeps_its_name() -> None:
    assert event_title(ENGLISH, "something.new") == "something.new"


def test_every_reason_and_group_has_words() -> None:
    assert all(reason_text(ENGLISH, reason) and "_" not in reason_text(ENGLISH, reason) for reason in Reason)
    assert all(group_title(ENGLISH, group) for group in Group)


@pytest.mark.parametrize("locale", sorted(locales()))
@pytest.mark.parametrize("kind", list(Kind))
def test_every_problem_is_worded(kind: Kind, locale: str) -> None:
    subjects = [reason.value for reason in Reason] if kind in (Kind.GRANTS, Kind.UNCLEAR) else ["", "above_bot", "{x}"]
    for subject in subjects:
        problem = Problem(kind=kind, count=3, subject=subject, names=("VIP {0}",), number=7)
        card = card_of(words_for(locale), problem, "/admin/1")
        assert card.title
        assert not card.url or card.url.startswith("/admin/")


def test_a_fix_of_managers_is_no_link_for_support() -> None:
    problem = Problem(kind=Kind.BRAKE, count=3, number=7)
    assert card_of(ENGLISH, problem, "/admin/1").url == "/admin/1/brake/7"
    assert card_of(ENGLISH, problem, "/admin/1", can_manage=False).url == ""

"""Words for staff: every event, reason and problem has some, in every language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import cast

import pytest

from locales.catalogue import locales, words_for
from membership.errors import Reason
from membership.events import EVENTS, Group
from membership.problem_kinds import Kind, Problem
from tests.meta.source import ROOT, syntax_of
from web.admin.mail import ABOUT
from web.admin.orders import MAIL_TITLES
from web.admin.problem_words import card_of
from web.admin.staff_words import event_title, group_title, reason_text

ENGLISH = words_for("en")
OF_NO_PURCHASE = {"signin", "billing", "staff_alert", "test"}


def recorded() -> set[str]:
    """Return the events that the use-cases write, each named where the entry is made or in a constant beside it."""
    found: set[object] = set()
    for path in sorted((ROOT / "membership").rglob("*.py")):
        tree = syntax_of(path)
        constants = dict(pair for node in tree.body for pair in constants_of(node))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "AuditEntry":
                event = next(each.value for each in node.keywords if each.arg == "event")
                found |= {event.value} if isinstance(event, ast.Constant) else constants.get(ast.unparse(event), set())
    return {str(event) for event in found}


def constants_of(node: ast.AST) -> Iterator[tuple[str, set[object]]]:
    """Yield what a name of the module stands for, `A, B = "a", "b"` too."""
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        if len(names) == len(values):
            yield from (
                (ast.unparse(name), {cast(object, value.value)})
                for name, value in zip(names, values, strict=True)
                if isinstance(value, ast.Constant)
            )


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_is_called_on_pages_what_it_is_called_in_discord(name: str) -> None:
    assert event_title(ENGLISH, name) == EVENTS[name].title


@pytest.mark.parametrize("name", sorted(recorded()))
def test_whatever_is_written_into_the_record_has_words(name: str) -> None:
    assert event_title(ENGLISH, name) != name


@pytest.mark.parametrize("template", sorted(set(ABOUT) - OF_NO_PURCHASE))
def test_every_mail_about_a_purchase_has_a_title_there(template: str) -> None:
    assert template in MAIL_TITLES


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

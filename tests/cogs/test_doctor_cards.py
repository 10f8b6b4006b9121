"""The card of the doctor: failures in full, the rest as a count, nothing clickable that a person named."""

from __future__ import annotations

from dataclasses import replace

from cogs.cards import Buttons, Card, Text, Tone
from cogs.doctor_cards import doctor_card, report_card
from cogs.rendering import view
from membership.checks import Area, Outcome, Result


def a_result(outcome: Outcome = Outcome.FAIL, *, number: str = "D08", **changes: str) -> Result:
    found = Result(
        id=number, area=Area.DISCORD, outcome=outcome, what="Role order", cause="VIP is above me.", fix="Drag it."
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def texts(card: Card) -> str:
    return "\n".join(line.text for line in card.lines if isinstance(line, Text))


def test_what_failed_is_shown_with_cause_fix_and_whom_it_touches() -> None:
    shown = texts(doctor_card([a_result(affects="2 waiting members")]))
    assert shown.splitlines() == [
        "**Discord** · 1 failed",
        "✗ **D08** Role order",
        "VIP is above me.",
        "Affects 2 waiting members.",
        "→ Drag it.",
    ]


def test_what_is_fine_is_a_count() -> None:
    assert texts(doctor_card([a_result(Outcome.OK), a_result(Outcome.OK, number="D09")])) == "**Discord** · 2 fine"


def test_what_was_skipped_says_why_and_is_not_fine() -> None:
    shown = texts(doctor_card([a_result(Outcome.SKIP, cause="no key")]))
    assert "1 skipped" in shown
    assert "no key" in shown
    assert "fine" not in shown


def test_the_colour_is_that_of_the_worst() -> None:
    assert doctor_card([a_result(Outcome.OK)]).tone is Tone.GOOD
    assert doctor_card([a_result(Outcome.OK), a_result(Outcome.WARN, number="D12")]).tone is Tone.WARN
    assert doctor_card([a_result(Outcome.WARN), a_result(Outcome.FAIL, number="D12")]).tone is Tone.BAD


def test_a_name_that_people_gave_is_no_markup_and_no_link() -> None:
    shown = texts(doctor_card([a_result(cause="**VIP** @everyone https://evil.example/x")]))
    assert "**VIP**" not in shown
    assert "@everyone" not in shown
    assert "https://evil" not in shown


def test_the_invite_stays_a_link() -> None:
    link = "https://discord.com/oauth2/authorize?client_id=1&permissions=268487681"
    assert link in texts(doctor_card([a_result(fix=f"Invite it again: {link}")]))


def test_it_can_look_again_and_give_a_report() -> None:
    buttons = [line for line in doctor_card([a_result()]).lines if isinstance(line, Buttons)]
    assert [button.action for line in buttons for button in line.buttons] == ["doctor", "doctor-report"]


def test_the_report_hides_addresses_and_secrets() -> None:
    (file,) = report_card([a_result(cause="rk_live_51Habc of ada@example.com")]).files
    assert b"rk_live_51Habc" not in file.content
    assert b"ada@example.com" not in file.content
    assert b"D08" in file.content


def test_very_many_findings_still_fit_into_one_answer() -> None:
    found = [a_result(number=f"D{number:02}", cause="long " * 60) for number in range(60)]
    assert view(doctor_card(found)).total_children_count <= 40

"""The cards of codes and runs: what is cut, what is off, and where buttons lead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cogs import rendering, role_holders
from cogs.cards import Buttons, Card, Row, Text
from cogs.code_cards import listing_card
from cogs.sync_cards import drift_card, status_card
from membership.adoption import Holders
from membership.desk import PlanCode, PlanCodeLabel
from membership.drift import Away, Drift, Lacking
from membership.errors import Reason
from membership.model import GuildId, Plan, PlanId, RoleId, UserId
from membership.plan_codes import PAGE, Listed, Listing
from membership.records import TroubledJob
from membership.syncing import Refused, Status

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUIET = Status(
    now=NOW,
    paused_at=None,
    is_available=True,
    last_runs={"hourly": None},
    newest_events={"stripe": NOW - timedelta(minutes=3)},
    queue=0,
    longest_wait=timedelta(),
    troubled=(),
)
PLAN = Plan(id=PlanId(1), guild_id=GuildId(1), name="VIP", slug="vip", roles=(RoleId(11),), products=())


def written(card: Card) -> str:
    return "\n".join(line.text for line in card.lines if isinstance(line, Text | Row))


def buttons(card: Card) -> list[str]:
    rows = [line.button.label for line in card.lines if isinstance(line, Row)]
    return rows + [each.label for line in card.lines if isinstance(line, Buttons) for each in line.buttons]


def a_listing(page: int, codes: int = PAGE) -> Listing:
    code = PlanCode(
        digest="d" * 64,
        guild_id=GuildId(1),
        plan_id=PlanId(1),
        duration_days=30,
        max_uses=1,
        expires_at=None,
        label="raffle",
        created_by="staff:1",
        created_at=NOW,
    )
    label = PlanCodeLabel(label="raffle", codes=PAGE + 2, void=0, uses=0, max_uses=PAGE + 2)
    return Listing(label=label, page=page, codes=tuple(Listed(code=code, plan=PLAN, uses=()) for _ in range(codes)))


def test_codes_are_numbered_through_all_pages_and_fit_discord() -> None:
    assert "**No. 1**" in written(listing_card(a_listing(0)))
    last = listing_card(a_listing(1, codes=2))
    assert f"**No. {PAGE + 1}**" in written(last)
    assert f"**No. {PAGE + 2}**" in written(last)
    rendering.view(listing_card(a_listing(0)))


def test_drift_shows_three_lists_with_one_action_each_and_how_many_more() -> None:
    lacking = [Lacking(user_id=UserId(n), role_ids=frozenset({RoleId(11)}), why="role_above_bot") for n in range(5)]
    drift = Drift(role_ids=(RoleId(11),), lacking=tuple(lacking), away=(Away(user_id=UserId(9), plan=PLAN),))
    holders = {RoleId(11): Holders(role_id=RoleId(11), user_ids=(UserId(7),), set_hash="x"), RoleId(12): None}
    card = drift_card(drift, holders)
    assert "above my own role" in written(card)
    assert "… and 2 more" in written(card)
    assert {"Decide", "Put right", "Send the link again"} == set(buttons(card))
    rendering.view(card)


def test_a_failure_is_told_in_words_and_a_fault_of_ours_without_its_exception() -> None:
    jobs = [
        TroubledJob(kind="member", key="1:7", due_at=NOW, attempts=1, is_parked=True, last_error="KeyError('x')"),
        TroubledJob(kind="sweep", key="1", due_at=NOW, attempts=2, is_parked=False, last_error="Discord is busy"),
    ]
    status = replace(QUIET, queue=120, longest_wait=timedelta(minutes=2), troubled=jobs)
    text = written(status_card(status))
    assert "KeyError" not in text
    assert "the whole server: Discord is busy" in text
    assert "The hourly run has not run yet." in text
    assert "120 members in the queue, 2 minutes at most" in text


def test_a_pause_is_told_as_waiting_with_a_way_to_end_it() -> None:
    card = status_card(replace(QUIET, paused_at=NOW, waiting=3))
    assert "**3 waiting**: role changes are paused" in written(card)
    assert "failed" not in written(card)
    assert [line.button.action for line in card.lines if isinstance(line, Row)] == ["resume"]


def test_the_status_counts_by_cause_whom_discord_refuses() -> None:
    theirs = [
        Refused(user_id=UserId(user), plan_name="VIP", role_ids=(RoleId(5),), reason=Reason.ROLE_ABOVE_BOT)
        for user in (7, 8)
    ]
    text = written(status_card(replace(QUIET, refused=theirs)))
    assert "**2 blocked**: Discord does not let me give or take <@&5>: it is above my own role.\n<@7> <@8>" in text
    assert "drag Doorlist above <@&5>" in text


def test_a_list_that_was_cut_says_so() -> None:
    holders = Holders(role_id=RoleId(5), user_ids=(UserId(1),), set_hash="", is_complete=False)
    assert role_holders.number_text(20_000, holders) == "20,000 or more"
    assert role_holders.number_text(1, replace(holders, is_complete=True)) == "1"

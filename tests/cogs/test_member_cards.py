"""What staff read about members: every state has words, addresses are masked, and names people chose stay harmless."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cogs.cards import Row, Text
from cogs.member_cards import found_card, found_label
from cogs.member_history import happening_line
from cogs.member_words import answer_text, mail_text, next_change, reference, summary_text
from cogs.state_words import grant_line
from locales.catalogue import words_for
from membership.actors import Actor
from membership.desk import Payment, PaymentKind
from membership.dossier import NOTE
from membership.entitlements import access_of
from membership.errors import Reason
from membership.model import AccountId, CustomerId, GrantState, GuildId, OnPastDue, PurchaseId, UserId
from membership.notes import LONGEST_NOTE
from membership.records import AuditEntry, Customer
from membership.search import Found
from membership.shown import ShownGrant, ShownState, shown
from tests.membership.builders import NOW, a_claim, a_plan

SUPPORT = Actor(guild_id=GuildId(1), user_id=UserId(2), can_staff=True)
OWNER = replace(SUPPORT, can_manage=True, can_data=True)
HOSTILE = Customer(
    id=CustomerId(5),
    account_id=AccountId(1),
    external_id="cus_123456789",
    email="ada@example.com",
    name="**@everyone** [x](https://evil.example)",
    locale="",
)


def a_shown(state: ShownState = ShownState.ACTIVE) -> ShownGrant:
    claim = a_claim()
    return ShownGrant(
        grant=claim.grant,
        plan=claim.plan,
        purchase=claim.purchase,
        state=state,
        reason=Reason.PAID,
        at=NOW,
        is_renewing=True,
    )


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("state", list(ShownState))
def test_every_state_has_an_icon_and_words_with_and_without_a_moment(state: ShownState, language: str) -> None:
    for at in (NOW, None):
        icon, _, text = grant_line(words_for(language), replace(a_shown(state), at=at)).partition(" ")
        assert (icon.isascii(), bool(text)) == (False, True)


def test_a_connected_purchase_that_waits_for_its_first_look_is_being_given() -> None:
    outcome = access_of(a_claim(state=GrantState.PENDING, reason=Reason.NOT_LINKED), now=NOW)
    assert shown(outcome).state is ShownState.DELIVERING
    assert shown(outcome, is_connected=False).state is ShownState.PENDING_LINK


def test_addresses_and_references_are_whole_only_for_who_may_see_data() -> None:
    assert mail_text("ada@example.com", OWNER) == "ada@\u200bexample.com"
    assert mail_text("ada@example.com", SUPPORT) == "a••@\u200bexample.com"
    assert reference("sub_1QxYz2f3a", SUPPORT) == "sub\\_…f3a"
    assert found_label(Found(customer=HOSTILE, user_id=None), SUPPORT).endswith("a••@example.com")


def test_names_that_people_chose_do_nothing_on_a_card() -> None:
    card = found_card([Found(customer=HOSTILE, user_id=UserId(7), name="<@&1> `x`")], "x", SUPPORT)
    text = "".join(line.text for line in card.lines if isinstance(line, Text | Row))
    assert not any(trap in text for trap in ("@everyone", "](https://", "<@&1>"))


def test_a_summary_keeps_its_mentions_and_nothing_else() -> None:
    assert summary_text("*VIP* given to <@123>") == "\\*VIP\\* given to <@123>"


def test_the_next_change_says_what_happens_if_the_renewal_fails() -> None:
    kept = replace(a_shown(), plan=a_plan(on_past_due=OnPastDue.KEEP, grace_days=3))
    assert next_change(kept).endswith("renewal. If it fails: roles kept 3 days, then the roles are taken")


def test_a_history_line_names_the_act_the_reason_and_the_person() -> None:
    entry = AuditEntry(
        event="staff.action",
        actor="staff:9",
        detail={"summary": "VIP given to <@7>", "reason": "a raffle", "is_self": 1},
    )
    told = happening_line(NOW, entry)
    assert told.endswith("🔵 VIP given to <@7> · a raffle · ⚠️ for themselves · by <@9>")
    payment = Payment(
        account_id=AccountId(1),
        purchase_id=PurchaseId(1),
        at=NOW,
        amount=900,
        currency="eur",
        kind=PaymentKind.FAILED,
        key="k",
    )
    assert happening_line(NOW, payment).endswith("🟠 Payment of 9.00 € failed")


def test_a_note_of_the_longest_kind_is_shown_whole() -> None:
    entry = AuditEntry(event=NOTE, actor="staff:9", detail={"text": "x" * LONGEST_NOTE})
    assert "x" * LONGEST_NOTE in happening_line(NOW, entry)


@pytest.mark.parametrize("event", ["link.mailed", "grant.revoked"])
def test_no_line_of_the_history_shows_the_name_of_an_event(event: str) -> None:
    told = happening_line(NOW, AuditEntry(event=event, actor="user:9"))
    assert event not in told
    assert "Subscription" not in told, "it may have been a gift"


def test_what_a_try_ended_in_is_said_in_words_and_never_as_an_exception() -> None:
    assert answer_text("role_above_bot: VIP") == "Discord does not let me: the role is above my own role (VIP)"
    assert answer_text("role changes are paused in this server") == "role changes are paused in this server"
    assert answer_text("TypeError('secret')") == "a fault on our side, which is in the log"

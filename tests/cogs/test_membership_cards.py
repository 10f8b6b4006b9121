"""What members read about their own memberships: every state says what it is, what it means, and what to press."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cogs.buy_cards import Shelf, offers_card, price_text
from cogs.cards import Button, Buttons, Card, Row, Text
from cogs.membership_cards import Place, after_try, membership_card
from cogs.rendering import view
from locales.catalogue import words_for
from membership.desk import MemberSettings
from membership.dossier import Payer
from membership.errors import Reason
from membership.mine import Membership, Mine
from membership.model import AccountId, CustomerId, PlanId, Proof, RoleId, UserId
from membership.ports import Price
from membership.records import Account, Customer, Guild, Link
from membership.shop import Offer
from membership.shown import ShownGrant, ShownState
from tests.membership.builders import DAY, GOLD, GUILD, NOW, a_claim, a_plan

HERE = Place(is_in_guild=True, can_buy=True, connect_url="https://door.example/verify/ticket")
ENGLISH, ITALIAN = words_for("en"), words_for("it")
BILLING, INVITE = "https://door.example/billing/token", "https://discord.example/invite"
PAYER = Payer(
    customer=Customer(
        id=CustomerId(1), account_id=AccountId(1), external_id="cus_1", email="ada@example.com", name="Ada", locale=""
    ),
    account=Account(id=AccountId(1), provider="stripe", external_id="acct_1", is_live=True),
    link=Link(customer_id=CustomerId(1), user_id=UserId(30), proof=Proof.OAUTH, created_at=NOW),
)


def a_membership(
    state: ShownState, reason: Reason = Reason.PAID, *, is_renewing: bool = False, **named: object
) -> Membership:
    claim = a_claim(plan=a_plan(name="VIP"))
    purchase = replace(claim.purchase, amount=900, currency="eur")
    shown = ShownGrant(
        grant=claim.grant,
        plan=claim.plan,
        purchase=purchase,
        state=state,
        reason=reason,
        roles=frozenset() if state is ShownState.REVOKED else frozenset({GOLD}),
        at=NOW + 3 * DAY,
        is_renewing=is_renewing,
    )
    plain = Membership(
        guild=Guild(id=GUILD, name="Ada's server", is_active=True),
        shown=shown,
        payer=PAYER,
        has=frozenset({GOLD}),
        role_names={GOLD: "VIP"},
        billing_url=BILLING if state is not ShownState.REVOKED else "",
        can_mail_billing=state is not ShownState.REVOKED,
    )
    return replace(plain, **named)  # type: ignore[arg-type]


def a_card(*memberships: Membership, place: Place = HERE) -> Card:
    return membership_card(ENGLISH, Mine(memberships=memberships, settings=MemberSettings(user_id=UserId(30))), place)


def text_of(card: Card) -> str:
    return "\n".join(line.text for line in card.lines if isinstance(line, Text | Row))


def buttons_of(card: Card) -> list[Button]:
    rows = [line.buttons for line in card.lines if isinstance(line, Buttons)]
    return [button for row in rows for button in row]


@pytest.mark.parametrize(
    ("membership", "line", "first"),
    [
        (a_membership(ShownState.ACTIVE, is_renewing=True), "The next payment is 9.00 €.", "Manage billing"),
        (a_membership(ShownState.PENDING_JOIN, invite_url=INVITE), f"Join the server to get <@&{GOLD}>", "Join"),
        (a_membership(ShownState.PENDING_RULES), "Accept the server rules first", "Try again"),
        (a_membership(ShownState.FAILED, Reason.ROLE_ABOVE_BOT), "Staff have been told.", "Try again"),
        (a_membership(ShownState.FAILED, Reason.SERVER_LIMIT), "Leave a server, then press Try again.", "Try again"),
        (a_membership(ShownState.FAILED, Reason.TOKEN_EXPIRED), "Connect Discord once more", "Connect Discord"),
        (a_membership(ShownState.PAST_DUE), f"You keep <@&{GOLD}> until then.", "Update card"),
        (a_membership(ShownState.ENDING), f"You keep <@&{GOLD}> until then.", "Keep my membership"),
        (a_membership(ShownState.PAUSED), "⏸️ Paused", "Resume"),
        (a_membership(ShownState.DISPUTED), "access is off until the bank has decided", "Manage billing"),
        (a_membership(ShownState.REVOKED, Reason.CANCELLED), "⚪ Ended", "Buy again"),
    ],
)
def test_every_state_says_what_it_means_and_what_to_press(membership: Membership, line: str, first: str) -> None:
    card = a_card(membership)
    assert line in text_of(card)
    assert buttons_of(card)[0].label == first


def test_a_role_has_a_tick_only_when_the_member_was_seen_with_it() -> None:
    assert f"Roles: <@&{GOLD}> ✅" in text_of(a_card(a_membership(ShownState.ACTIVE)))
    assert "✅" not in text_of(a_card(a_membership(ShownState.PENDING_RULES, has=frozenset())))


def test_billing_of_whoever_may_have_paid_for_somebody_goes_by_mail() -> None:
    button = buttons_of(a_card(a_membership(ShownState.ACTIVE, billing_url="")))[0]
    assert (button.label, button.url, button.action) == ("Manage billing", "", "membership-billing")


def test_a_role_that_was_deleted_is_not_named_by_its_number() -> None:
    card = a_card(a_membership(ShownState.FAILED, Reason.ROLE_DELETED, role_names={RoleId(99): "Another"}))
    assert str(GOLD) not in text_of(card)
    assert "the role no longer exists" in text_of(card)


def test_nothing_is_for_sale_where_the_server_is_not_set_up() -> None:
    assert "Buy a plan" in [button.label for button in buttons_of(a_card())]
    assert "Buy a plan" not in [button.label for button in buttons_of(a_card(place=replace(HERE, can_buy=False)))]
    closed = a_membership(ShownState.REVOKED, guild=Guild(id=GUILD, name="Ada's server"))
    assert "Buy again" not in [button.label for button in buttons_of(a_card(closed))]


@pytest.mark.parametrize(
    ("membership", "said"),
    [
        (a_membership(ShownState.FAILED, Reason.MISSING_PERMISSION), "still refused. Staff have been told."),
        (a_membership(ShownState.FAILED, Reason.SERVER_LIMIT), "still refused."),
        (a_membership(ShownState.PENDING_JOIN), "not there yet."),
        (a_membership(ShownState.ACTIVE), "it worked."),
    ],
)
def test_a_try_says_what_came_of_it(membership: Membership, said: str) -> None:
    mine = Mine(memberships=(membership,), settings=MemberSettings(user_id=UserId(30)))
    assert after_try(ENGLISH, mine) == f"Tried just now: {said}"


def test_an_end_by_staff_cannot_be_bought_off() -> None:
    membership = a_membership(ShownState.ENDING)
    grant = replace(membership.shown.grant, revoke_at=NOW + 3 * DAY)
    card = a_card(replace(membership, shown=replace(membership.shown, grant=grant)))
    assert buttons_of(card)[0].label == "Manage billing"


def test_every_state_can_be_said_in_italian_and_fits_six_times_on_one_card() -> None:
    for state in ShownState:
        memberships = tuple(a_membership(state, Reason.ROLE_ABOVE_BOT, invite_url=INVITE) for _ in range(6))
        mine = Mine(memberships=memberships, settings=MemberSettings(user_id=UserId(30), dms=False), left_out=1)
        card = membership_card(ITALIAN, mine, HERE)
        assert card.title == "La tua iscrizione"
        assert "… e 1 altra" in text_of(card)
        assert view(card).total_children_count <= 40


def test_a_subscription_that_renews_is_not_sold_twice() -> None:
    offers = [
        Offer(
            plan=a_plan(id=PlanId(number), name=f"Plan {number}"),
            price=Price(
                external_id="price", product_id="p", product_name="P", amount=900, currency="eur", interval="month"
            ),
            account_id=AccountId(1),
        )
        for number in (1, 2)
    ]
    card = offers_card(ENGLISH, Shelf(offers=offers, had={PlanId(1): "Plan 1"}, renewing={PlanId(1)}))
    rows = [line for line in card.lines if isinstance(line, Row)]
    assert [row.button.is_off for row in rows] == [True, False]
    assert "You have: Plan 1." in text_of(card)


def test_prices_are_written_as_the_members_language_does() -> None:
    price = Price(external_id="price", product_id="p", product_name="P", amount=900, currency="eur", interval="month")
    assert [price_text(words, price) for words in (ENGLISH, ITALIAN)] == ["9.00 € / month", "9,00 € / mese"]
    assert price_text(ENGLISH, replace(price, trial_days=1)) == "1 day free, then 9.00 € / month"

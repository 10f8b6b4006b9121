"""What staff read about plans and previews, what they fill into forms, and what rules come of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cogs import plan_forms, plan_products
from cogs.cards import Button, Buttons, Card, Row, Text
from cogs.plan_rules import RulesWish, late_lines, with_rules
from cogs.plan_words import changed_lines
from cogs.preview_cards import Notes, csv_of, page_card, preview_card
from cogs.rendering import view
from membership.errors import UserError
from membership.model import AccountId, GuildId, OnEnd, OnPastDue, Plan, PlanId, PlanProduct, RoleId, UserId
from membership.plan_effects import NEW_ROLE, Effect, Fate, Tally
from membership.ports import Price
from membership.preview import Shown
from membership.records import Account
from tests.membership.builders import a_purchase

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VIP, LATE = RoleId(11), RoleId(12)
TEST = Account(id=AccountId(1), provider="stripe", external_id="acct_1", is_live=False)
PLAN = Plan(id=PlanId(5), guild_id=GuildId(1), name="VIP", slug="vip", roles=(VIP,))


def a_price(number: int, product: str = "prod_vip", name: str = "VIP", interval: str = "month") -> Price:
    return Price(
        external_id=f"price_{number}",
        product_id=product,
        product_name=name,
        amount=900,
        currency="eur",
        interval=interval,
    )


def effect(user: int, fate: Fate, why: str = "paid") -> Effect:
    gained = (VIP,) if fate in (Fate.GET, Fate.BLOCKED) else ()
    lost = (VIP,) if fate is Fate.LOSE else ()
    return Effect(UserId(user), fate, gained, lost, False, why)


def a_preview(*effects: Effect, before: Plan | None = PLAN, unchanged: int = 0) -> Shown:
    tally = Tally(total=len(effects) + unchanged)
    for each in effects:
        tally.add(each)
    for _ in range(unchanged):
        tally.add(None)
    return Shown(id="8c1f00aa", plan=PLAN, before=before, tally=tally)


def written(card: Card) -> str:
    return "\n".join(line.text for line in card.lines if isinstance(line, Text | Row))


def buttons(card: Card) -> list[Button]:
    return [button for line in card.lines if isinstance(line, Buttons) for button in line.buttons]


def test_a_preview_counts_by_what_would_happen_and_names_the_deed_with_its_number() -> None:
    people = [effect(1, Fate.GET), effect(2, Fate.LOSE, "cancelled"), effect(3, Fate.BLOCKED, "not_in_server")]
    card = preview_card(a_preview(*people, unchanged=198), Notes(), NOW)
    text = written(card)
    assert "**+ 1** would get <@&11> · paid" in text
    assert "**− 1** would lose <@&11> · cancelled" in text
    assert "**! 1** cannot be done · not in the server" in text
    assert "**= 198** unchanged" in text
    assert buttons(card)[0].label == "Apply exactly this to 2 members"


def test_a_preview_says_before_it_is_applied_that_a_new_kick_cannot_be_undone() -> None:
    warning = "A kick comes a day after the end and cannot be undone"
    kicking = replace(PLAN, on_refund=OnEnd.KICK)
    assert warning in written(preview_card(replace(a_preview(), plan=kicking), Notes(), NOW))
    assert warning not in written(preview_card(replace(a_preview(before=kicking), plan=kicking), Notes(), NOW))


def test_a_preview_names_the_products_and_warns_when_nothing_sells_the_plan() -> None:
    text = written(preview_card(a_preview(before=None), Notes(products=("VIP · 9.00 € / month",)), NOW))
    assert "**Unlocked by:** VIP · 9.00 € / month" in text
    assert "nobody can buy it" in text
    sold = replace(PLAN, products=(PlanProduct(account_id=AccountId(1), product_id="prod_vip"),))
    assert "nobody can buy it" not in written(preview_card(replace(a_preview(), plan=sold), Notes(), NOW))


def test_a_preview_that_changes_nothing_has_nothing_to_apply() -> None:
    card = preview_card(a_preview(unchanged=3), Notes(), NOW)
    assert [button.label for button in buttons(card)] == ["Download CSV"]
    assert buttons(preview_card(a_preview(effect(1, Fate.GET)), Notes(), NOW))[0].label.startswith("Apply exactly this")


def test_a_preview_of_a_hundred_thousand_fits_and_turns_pages() -> None:
    shown = a_preview(*(effect(user, Fate.GET) for user in range(100_000)))
    view(preview_card(shown, Notes(danger="x" * 500), NOW))
    page = page_card(shown, Fate.GET, 10**9)
    assert "Page 5000 of 5000" in written(page)
    view(page)


def test_a_file_for_a_spreadsheet_runs_no_formula() -> None:
    lines = csv_of([effect(1, Fate.GET, '=HYPERLINK("x")')]).decode("utf-8-sig").splitlines()
    assert lines[1] == '1,get,11,,no,"\'=HYPERLINK(""x"")"'


def test_products_are_told_apart_by_price_and_those_already_sold_come_last() -> None:
    sold = replace(PLAN, products=(PlanProduct(account_id=AccountId(1), product_id="prod_vip"),))
    catalogue = [(TEST, [a_price(1), a_price(2, "prod_pro", "Pro"), a_price(3, "prod_pro", "Pro", "year")])]
    offered = plan_products.wares(catalogue, [sold])
    assert [ware.label for ware in offered] == [
        "Pro · 9.00 € / month (test)",
        "Pro · 9.00 € / year (test)",
        "Pro · all 2 prices (test)",
        "VIP · 9.00 € / month (test) → VIP",
    ]
    assert plan_products.find(offered, "vip").product == sold.products[0]
    with pytest.raises(UserError, match="3 products"):
        plan_products.find(offered, "pro ")
    with pytest.raises(UserError, match="no such product"):
        plan_products.find(offered, "2/prod_of_somebody_else/")


def test_an_empty_role_is_made_for_a_new_plan_and_stays_empty_for_a_known_one() -> None:
    fields = {"name": ("  Inner   Circle ",), "end": ("kick",), "grace": ("5",)}
    new = plan_forms.filled(plan_forms.blank(GuildId(1)), fields, [])
    assert (new.name, new.roles, new.on_end, new.grace_days) == ("Inner Circle", (NEW_ROLE,), OnEnd.KICK, 5)
    assert plan_forms.filled(PLAN, fields, []).roles == ()
    with pytest.raises(UserError):
        plan_forms.filled(PLAN, fields | {"grace": ("soon",)}, [])


def test_a_product_that_is_no_longer_for_sale_stays_when_it_stays_chosen() -> None:
    old = replace(PLAN, products=(PlanProduct(account_id=AccountId(1), product_id="prod_gone"),))
    (option,) = plan_products.options([], old.products)
    assert option.is_chosen
    assert plan_forms.filled(old, {"name": ("VIP",), "products": (option.value,)}, []).products == old.products


def test_rules_change_only_what_was_filled_in() -> None:
    changed = with_rules(PLAN, RulesWish(past_due_role_id=LATE, grace_days=7))
    assert (changed.on_past_due, changed.on_end) == (OnPastDue.KEEP_AND_ROLE, OnEnd.REMOVE_ROLES)
    assert changed_lines(PLAN, changed) == [
        "**Payment failed:** keep the role, for 3 days → keep it, and add the past-due role <@&12>, for 7 days"
    ]
    cleared = with_rules(changed, RulesWish(clear="past_due_role", grace_days=3))
    assert cleared == PLAN
    with pytest.raises(UserError):
        with_rules(PLAN, RulesWish(on_cancel="explode"))


def test_it_says_what_a_shorter_grace_means_for_those_who_are_late() -> None:
    late = [a_purchase(past_due_since=NOW - timedelta(hours=2)) for _ in range(2)]
    assert late_lines(PLAN, replace(PLAN, grace_days=1), late, NOW) == [
        "2 members past due would lose <@&11> in 1 day instead of in 3 days"
    ]

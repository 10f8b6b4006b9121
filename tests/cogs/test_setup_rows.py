"""The checklist says what it saw, and what it could not see is never done."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from cogs.examination import ChannelExamination, GuildExamination, RoleExamination
from cogs.role_words import danger_warning, role_refusal
from cogs.roles import Refusal
from cogs.settings_cards import Values, settings_card
from cogs.settings_catalogue import SETTINGS, Group, Setting, named, policy_names, read, written
from cogs.setup_rows import NEEDED, SetupFacts, State, is_complete, steps
from membership.errors import UserError
from membership.model import AccountId, ChannelId, GuildId, MessageId, OnEnd, Plan, PlanId, PlanProduct, RoleId
from membership.policy import POLICY_WORDS, Policy
from membership.ports import GuildRole
from membership.records import Guild
from membership.setting_up import PaymentLook

VIP, PANEL, LOG = RoleId(11), ChannelId(21), ChannelId(22)
GUILD = Guild(
    id=GuildId(1),
    name="Place",
    is_active=True,
    panel_channel_id=PANEL,
    panel_message_id=MessageId(5),
    event_channel_id=LOG,
)
PLAN = Plan(
    id=PlanId(1),
    guild_id=GUILD.id,
    name="VIP",
    slug="vip",
    roles=(VIP,),
    products=(PlanProduct(account_id=AccountId(1), product_id="prod"),),
)
SERVER = GuildExamination(
    guild_id=GUILD.id,
    name="Place",
    needs_two_factor=False,
    permissions=frozenset(NEEDED),
    bot_role="Doorlist",
    bot_position=9,
    roles={VIP: RoleExamination(role_id=VIP, name="VIP", position=5, refusal="", dangers=(), holders=3)},
    channels={
        channel: ChannelExamination(
            channel_id=channel, name="x", can_write=True, is_public=channel == PANEL, opened_to=frozenset()
        )
        for channel in (PANEL, LOG)
    },
)
FACTS = SetupFacts(
    guild=GUILD,
    server=SERVER,
    plans=(PLAN,),
    payments=(PaymentLook(name="stripe"),),
    held={VIP: 3},
    is_panel_there=True,
)


def _states(facts: SetupFacts) -> dict[str, State]:
    return {step.title: step.state for step in steps(facts)}


def test_a_server_with_everything_in_order_is_done() -> None:
    assert is_complete(steps(FACTS))


def test_what_could_not_be_looked_at_is_unknown_and_never_done() -> None:
    found = _states(
        replace(
            FACTS,
            server=None,
            trouble="the server is not available now",
            payments=(PaymentLook(name="stripe", trouble="no answer"),),
        )
    )
    assert {title for title, state in found.items() if state is State.UNKNOWN} == found.keys() - {"Plan"}


def test_a_plan_that_kicks_needs_the_permission() -> None:
    kicks = replace(FACTS, plans=(replace(PLAN, on_end=OnEnd.KICK),))
    assert steps(kicks)[0].text == "I am missing Kick Members"


@pytest.mark.parametrize(
    ("facts", "title", "words"),
    [
        (replace(FACTS, held={VIP: 1}), "Existing holders", "2 people have <@&11> without a purchase"),
        (
            replace(FACTS, payments=(PaymentLook(name="stripe", trouble="401", is_refused=True),)),
            "Payments",
            "refuses the key",
        ),
        (replace(FACTS, is_panel_there=False), "Verify panel", "it was deleted"),
        (replace(FACTS, guild=replace(GUILD, event_channel_id=PANEL)), "Event log", "everybody can read"),
    ],
)
def test_a_row_says_what_is_wrong(facts: SetupFacts, title: str, words: str) -> None:
    step = next(step for step in steps(facts) if step.title == title)
    assert step.state is not State.DONE
    assert words in step.text


def test_a_deleted_role_can_be_made_again_from_its_row() -> None:
    found = steps(replace(FACTS, server=replace(SERVER, roles={})))
    button = next(step.button for step in found if step.title == "Role order")
    assert button is not None
    assert (button.label, button.action, button.args) == ("Make it again", "role-again", (PLAN.id, VIP))


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refused_role_has_one_cause_and_one_fix(refusal: Refusal) -> None:
    words = role_refusal(GuildRole(role_id=VIP, name="VIP", refusal=refusal), "Doorlist")
    assert words is not None
    assert words.cause.endswith(".")
    assert words.fix.endswith((".", "Save Changes."))


def test_a_role_with_power_can_be_sold_and_the_power_is_named() -> None:
    role = GuildRole(role_id=VIP, name="VIP", dangers=("Ban Members",))
    assert role_refusal(role, "Doorlist") is None
    assert "Ban Members" in danger_warning(role)


def test_every_setting_of_the_policy_is_shown_locked_with_where_it_was_set() -> None:
    values = Values(guild=GUILD, policy=Policy(code_days=7), origins={"policy.code_days": "config.toml"})
    cards = str([settings_card(group, values) for group in Group])
    assert all(f"`policy.{name}`" in cards for group in Group for name in policy_names(group))
    assert "a mailed link work: **7** (default: 30)\\n-# `policy.code_days` · set in config.toml" in cards
    assert {each.name for each in fields(Policy)} == POLICY_WORDS.keys()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_reads_back_what_it_shows(setting: Setting) -> None:
    assert named(setting.name) is setting
    assert read(setting, written(setting, GUILD)) == getattr(GUILD, setting.name)


def test_a_choice_that_nobody_offered_is_refused() -> None:
    with pytest.raises(UserError, match="can be: On, Off"):
        read(named("dms"), "perhaps")

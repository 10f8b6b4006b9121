"""What `/buy` shows: the plans with their prices, the personal way to pay, and that it has arrived. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cogs.cards import Button, Buttons, Card, Line, Row, Style, Text, Tone, notice
from cogs.words import code_text, money
from locales.catalogue import Words, translatable
from membership.model import PlanId, RoleId
from membership.ports import Price
from membership.shop import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What is for sale here. `had`: plans that the person has; `server_names` by guild, only in direct messages."""

    offers: Sequence[Offer]
    had: Mapping[PlanId, str]
    renewing: Collection[PlanId] = ()
    server_names: Mapping[int, str] = field(default_factory=dict)
    role_names: Mapping[RoleId, str] = field(default_factory=dict)


def offers_card(words: Words, shelf: Shelf) -> Card:
    """Show a line for each plan with the button that buys it."""
    title = words.say("Plans")
    if not shelf.offers:
        return Card(title=title, lines=(Text(words.say("Nothing is for sale here at the moment.")),), tone=Tone.QUIET)
    lines: list[Line] = [_row(words, offer, shelf) for offer in shelf.offers]
    names = ", ".join(code_text(name) for name in shelf.had.values())
    lines.append(Text(words.say("You have: {plans}.", plans=names) if names else words.say("You have: nothing yet.")))
    lines.append(Buttons((Button(label=words.say("I already paid"), action="verify"),)))
    return Card(title=title, lines=tuple(lines))


def pay_card(words: Words, offer: Offer, url: str) -> Card:
    """Hand over the personal link to the payment page, and say how long it lasts."""
    facts = {"plan": code_text(offer.plan.name), "price": price_text(words, offer.price)}
    return Card(
        title=words.say("Buy {plan}", plan=facts["plan"]),
        lines=(
            Text(words.say("**{plan}** for {price}. You pay at our payment provider.", **facts)),
            Text(
                words.say(
                    "The link is yours: what it buys goes to this Discord account, whoever pays, and there is nothing "
                    "to connect afterwards. This answer tells you when your role is there."
                )
            ),
            Buttons((Button(label=words.say("Pay {price}", price=_money(words, offer.price)), url=url),)),
            Text(
                "-# "
                + words.say(
                    "The link is shown for 15 minutes. A payment page that you have opened can be used for two hours."
                )
            ),
        ),
        tone=Tone.NEWS,
    )


def old_link_card(words: Words, plan_id: PlanId) -> Card:
    """Say that the link is no longer shown."""
    return Card(
        lines=(
            Text(words.say("This link is old. If you have paid, your role comes all the same.")),
            Buttons((Button(label=words.say("New link"), action="buy-now", args=(plan_id,), style=Style.MAIN),)),
        ),
        tone=Tone.QUIET,
    )


def arrived_card(words: Words, plan_name: str, roles: Collection[RoleId], *, is_in_guild: bool) -> Card:
    """Say that it has arrived."""
    lines = [Text(words.say("✅ You are {plan}", plan=code_text(plan_name)))]
    if is_in_guild and roles:
        mentions = " ".join(f"<@&{role}> ✅" for role in sorted(roles))
        lines.append(Text(words.say("Roles: {roles}", roles=mentions)))
    return Card(lines=tuple(lines), tone=Tone.GOOD)


def gone_card(words: Words) -> Card:
    """Say that a plan is no longer for sale."""
    return notice(words.say("This plan is no longer for sale. Use `/buy` to see what is."), tone=Tone.WARN)


def price_text(words: Words, price: Price) -> str:
    """Write a price with its rhythm: "9.00 € / month", "199.00 €", "7 days free, then 9.00 € / month"."""
    if price.trial_days:
        paid = price_text(words, replace(price, trial_days=0))
        return words.count(
            "{number} day free, then {price}", "{number} days free, then {price}", price.trial_days, price=paid
        )
    if not price.interval:
        return _money(words, price)
    if price.interval in _RHYTHMS:
        return words.say(_RHYTHMS[price.interval], price=_money(words, price))
    return f"{_money(words, price)} / {code_text(price.interval)}"


def _row(words: Words, offer: Offer, shelf: Shelf) -> Row:
    plan = offer.plan
    name = f"**{code_text(plan.name)}**"
    if plan.guild_id in shelf.server_names:
        name = words.say("{plan} in {server}", plan=name, server=code_text(shelf.server_names[plan.guild_id]))
        roles = ", ".join(code_text(f"@{shelf.role_names[role]}") for role in plan.roles if role in shelf.role_names)
    else:
        roles = " ".join(f"<@&{role}>" for role in plan.roles)
    text = f"{name} — {price_text(words, offer.price)}" + (f" · {roles}" if roles else "")
    button = Button(
        label=words.say("Buy {price}", price=_money(words, offer.price)),
        action="buy-now",
        args=(plan.id,),
        style=Style.GOOD,
        # Two subscriptions of one plan would be paid twice for the same roles.
        is_off=bool(offer.price.interval) and plan.id in shelf.renewing,
    )
    return Row(text, button)


def _money(words: Words, price: Price) -> str:
    return words.amount(money({"amount": price.amount, "currency": price.currency}))


_RHYTHMS: Mapping[str, str] = {
    "day": translatable("{price} / day"),
    "week": translatable("{price} / week"),
    "month": translatable("{price} / month"),
    "year": translatable("{price} / year"),
}

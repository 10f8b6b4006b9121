"""Members buy in Discord: a personal link, nothing to connect, and the answer says when the role is there."""

from __future__ import annotations

from dataclasses import replace

from sandbox.discord.screen import controls
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_what_ben_pays_for_in_discord_is_his_without_connecting(s: Stage, ben: Keyboard) -> None:
    assert await ben.suggestions("buy", "plan", "year") == ["VIP year · 90.00 € / year"]
    shelf = await ben.types("buy")
    assert f"**VIP** — 9.00 € / month · <@&{s.role('VIP').id}>" in shelf.text
    assert "You have: nothing yet." in shelf.text
    paying = await shelf.presses("Buy 9.00 €")
    assert "nothing to connect afterwards" in paying.text
    url = next(each.url for each in controls(paying.message.components) if each.label == "Pay 9.00 €")
    async with s.visitor("ben") as visitor:
        await visitor.submit(await visitor.open(url), {"email": "mum@example.com", "name": "Mum", "pay_with": "good"})
    await s.settled()
    assert s.roles("ben") == {"VIP"}
    await s.eventually(lambda: paying.text.startswith("✅ You are VIP"), "the answer")
    assert not [mail for mail in s.outside.mailbox.messages_to("mum@example.com") if "/connect/" in mail.text]
    again = await ben.types("buy", plan="VIP")
    assert [each.is_disabled for each in controls(again.message.components) if each.label == "Buy 9.00 €"] == [True]
    card = await ben.types("membership")
    # Mum may have paid: her card and her invoices are shown to whoever reads her mail.
    billing = await card.presses("Manage billing")
    assert "on its way to m••@\u200bexample.com" in billing.text
    await s.settled()
    mail = s.outside.mailbox.messages_to("mum@example.com")[-1]
    assert mail.subject == "Your billing for VIP"


async def test_only_what_this_server_sells_can_be_bought_here(s: Stage, ben: Keyboard) -> None:
    shelf = await ben.types("buy")
    assert (await ben.forges(shelf.message, "door:buy-now:9999")).text.startswith("This plan is no longer for sale.")
    s.outside.discord.people.join(s.outside.seed.neighbour.guild, ben.user)
    next_door = replace(ben, channel=s.outside.seed.neighbour.lobby)
    assert "not set up in this server" in (await next_door.types("buy")).text

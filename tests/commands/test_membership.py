"""What members do in Discord for themselves: find their purchase, see what they have, get help by mail."""

from __future__ import annotations

from dataclasses import replace

from sandbox.discord.screen import controls
from sandbox.visitor import Page, claim_code
from tests.commands.keyboard import Keyboard, Screen
from tests.scenarios.stage import Stage

MAILED = "If that address has a purchase, a mail is on its way."


def link_on(screen: Screen, label: str) -> str:
    """Return where a link button leads."""
    return next(each.url for each in controls(screen.message.components) if each.label == label)


async def signs_in(s: Stage, url: str, name: str, *, as_person: str = "") -> Page:
    """Follow a personal link in a browser and sign in at Discord."""
    async with s.visitor(name) as visitor:
        consent = await visitor.submit(await visitor.open(url))
        return await visitor.submit(consent, {"user_id": str(s.person(as_person or name).id)})


async def test_a_buyer_whose_address_discord_knows_presses_one_button_and_has_it(s: Stage, ben: Keyboard) -> None:
    s.buys("ben")
    await s.settled()
    card = await ben.types("membership")
    assert card.is_private
    assert "No purchase is connected to you." in card.text
    url = link_on(card, "Connect Discord")
    page = await signs_in(s, url, "ben")
    assert page.heading == "VIP is yours"
    assert s.roles("ben") == {"VIP"}
    async with s.visitor("ben") as visitor:
        assert (await visitor.open(url)).heading == "This link is old"
    card = await ben.types("membership")
    assert "**VIP**  ✅ Active, renews <t:" in card.text
    assert f"Roles: <@&{s.role('VIP').id}> ✅" in card.text
    assert "b••@\u200bexample.com" in card.text
    assert card.labels == ["Manage billing", "Switch Discord account", "Turn off"]
    async with s.visitor("ben") as visitor:
        billing = await visitor.submit(await visitor.open(link_on(card, "Manage billing")))
        assert "Continue" in billing.html or "portal" in str(billing.url)
        moving = link_on(card, "Manage billing").replace("/billing/", "/connect/")
        assert (await visitor.open(moving)).heading == "This link was used already"


async def test_only_the_account_that_pressed_the_button_can_finish(s: Stage, ben: Keyboard) -> None:
    s.buys("kim")
    await s.settled()
    url = link_on(await ben.types("membership"), "Connect Discord")
    page = await signs_in(s, url, "ben", as_person="kim")
    assert "You pressed the button as @ben but signed in as @kim." in page.html
    assert url in [address for address, text in page.links if text == "Switch account"]
    assert s.roles("kim") == s.roles("ben") == set()
    assert (await signs_in(s, url, "ben")).heading == "We found no purchase"


async def test_an_address_that_discord_has_not_verified_proves_nothing(s: Stage, ben: Keyboard) -> None:
    s.buys("ben")
    await s.settled()
    s.person("ben").is_email_verified = False
    page = await signs_in(s, link_on(await ben.types("membership"), "Connect Discord"), "ben")
    assert page.heading == "Discord does not know your address for sure"
    assert s.roles("ben") == set()


async def test_a_purchase_that_somebody_has_is_never_taken_by_an_address(s: Stage, ben: Keyboard) -> None:
    s.buys("ben")
    s.joins("kim")
    await s.connects("ben", as_person="kim")
    page = await signs_in(s, link_on(await ben.types("membership"), "Connect Discord"), "ben")
    assert page.heading == "Another Discord account has it"
    assert (s.roles("kim"), s.roles("ben")) == ({"VIP"}, set())


async def test_asking_for_a_mail_tells_nobody_who_bought(s: Stage, ben: Keyboard) -> None:
    s.buys("ada")
    await s.settled()
    before = len(s.mails("ada"))
    await s.advance(minutes=11)  # the same mail goes out once in ten minutes
    answers = []
    for address in ("ADA@example.com", "ada@example.com", "nobody@example.com", "not an address", "kim@example.com"):
        form = await (await ben.types("membership")).presses("Send me a link by mail")
        answers.append((await form.fills(address=address)).text)
    assert answers == [MAILED] * 5
    form = await (await ben.types("membership")).presses("Send me a link by mail")
    assert (await form.fills(address="ada@example.com")).text.startswith("Too many tries.")
    await s.eventually(lambda: len(s.mails("ada")) > before, "the mail")
    await s.settled()
    assert len(s.mails("ada")) == before + 1
    assert s.mails("kim") == []


async def test_a_used_code_lets_the_payer_be_asked(s: Stage, ben: Keyboard) -> None:
    s.buys("ada")
    await s.settled()
    code = claim_code((await s.invitation("ada")).text) or ""
    await s.claims("ada")
    refused = await ben.types("claim", code=code)
    assert refused.text.startswith("This code was already used by another account.")
    await refused.presses("Send proof by mail")
    await s.eventually(lambda: s.mails("ada")[-1] == "Your new link for VIP", "the mail")
    assert (await refused.keyboard.forges(refused.message, "door:claim-mail:unknown")).text.startswith(
        "If the purchase"
    )


async def test_a_member_moves_and_turns_messages_off_by_themselves(s: Stage, ben: Keyboard) -> None:
    await s.is_member("ben")
    in_private = replace(ben, channel=s.outside.discord.world.dm_with(ben.user))
    card = await in_private.types("membership")
    assert "**VIP** in Demo Server  ✅ Active" in card.text
    assert "Roles: @\u200bVIP ✅" in card.text
    off = await card.presses("Turn off")
    assert "Direct messages: off" in off.text
    words = await off.presses("Switch Discord account")
    assert "This account loses its roles at once" in words.text
    assert "on its way to b••@\u200bexample.com" in (await words.presses("Mail the link to b••@example.com")).text
    await s.eventually(lambda: s.mails("ben")[-1] == "Your new link for VIP", "the mail")
    kim = Keyboard.of(s, "kim")
    forged = await kim.forges((await kim.types("membership")).message, "door:membership-switch:1")
    assert "No purchase is connected to you." in forged.text


async def test_try_again_finds_out_what_nobody_told_us(s: Stage, ben: Keyboard) -> None:
    member = s.guild.members[s.person("ben").id]
    member.is_pending = True
    await s.is_member("ben")
    card = await ben.types("membership")
    assert "⏳ Rules not accepted" in card.text
    assert "Accept the server rules first (top of the channel list)" in card.text
    member.is_pending = False
    card = await card.presses("Try again")
    assert "✅ Active" in card.text
    assert s.has("ben")

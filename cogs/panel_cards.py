"""The panel that stands in a channel for every member: where to verify, redeem and buy (EXPERIENCE 2.4). Pure."""

from __future__ import annotations

from cogs.cards import Button, Buttons, Card, Style, Text
from locales.catalogue import Words


def panel_card(words: Words) -> Card:
    """Return the panel in one language. What its buttons do is the buyer's side: "verify", "claim-form", "buy"."""
    return Card(
        title=words.say("Get your access"),
        lines=(
            Text(words.say("Bought a plan? Connect it to Discord here. It takes ten seconds.")),
            Buttons(
                (
                    Button(label=words.say("Verify purchase"), action="verify", style=Style.MAIN),
                    Button(label=words.say("I have a code"), action="claim-form"),
                    Button(label=words.say("Buy a plan"), action="buy"),
                )
            ),
            Text("-# " + words.say("Trouble? Press Verify, it tells you what is missing.")),
        ),
    )

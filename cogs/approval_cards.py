"""The direct messages about letting a server in: the operator is asked, and whoever asked is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cogs.cards import Button, Buttons, Card, Style, Text, Tone
from cogs.words import code_text
from membership import servers

Facts = Mapping[str, object]


def direct_card(template: str, facts: Facts) -> Card | None:
    """Return the card of a direct message that has buttons, None for one of words alone."""
    match template:
        case servers.ASKED:
            return asked(facts)
        case servers.APPROVED:
            return _told(
                facts,
                "**{server}** was approved. Go on with `/doorlist setup` there: your checklist is ready.",
                Tone.GOOD,
            )
        case servers.REFUSED:
            return _told(
                facts, "**{server}** was not approved. Ask whoever runs this Doorlist, or host your own.", Tone.QUIET
            )
        case _:
            return None


def asked(facts: Facts) -> Card:
    """Ask an operator. Facts: `server`, `guild_id`, `person`, `person_id`."""
    server, person = code_text(str(facts["server"])), code_text(str(facts["person"]))
    guild_id = str(facts["guild_id"])
    explanation = (
        f"**{person}** (<@{facts['person_id']}>) wants to use your Doorlist in **{server}** (server {guild_id}).\n"
        "Once you approve, people with Manage Server there can sell what your payment accounts sell, and see the "
        "customers who buy it there. Until then they see nothing."
    )
    return Card(
        title="A server asks to be let in",
        lines=(
            Text(explanation),
            Buttons(
                (
                    Button(
                        label=f"Approve “{facts['server']}” for {facts['person']}",
                        action="server-approve",
                        args=(guild_id,),
                        style=Style.GOOD,
                    ),
                    Button(label="Refuse", action="server-refuse", args=(guild_id,), style=Style.SHARP),
                )
            ),
        ),
        tone=Tone.NEWS,
    )


def _told(facts: Facts, text: str, tone: Tone) -> Card:
    return Card(lines=(Text(text.format(server=code_text(str(facts["server"])))),), tone=tone)

"""The cards of `/doorlist setup`: the checklist, choosing a channel, waiting for the operator. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.cards import Button, Buttons, Card, Choice, Divider, Line, Pick, Row, Style, Text, Tone
from cogs.setup_rows import State, Step, is_complete

PANEL, LOG = "panel", "log"
NAMES = {PANEL: "get-access", LOG: "membership-log"}
"""The channels that can be made."""

_BACK = Button(label="Back", action="setup-check")


def welcome_card() -> Card:
    """Return the one message of a bot that was added; only its button is for staff alone."""
    return Card(
        lines=(
            Text(
                "**Thanks for adding Doorlist.**\n"
                "It gives roles to people who pay, and takes them back when they stop.\n"
                "Nothing changes until somebody with Manage Server runs `/doorlist setup`."
            ),
            Buttons((Button(label="Open set-up", action="setup-open", style=Style.MAIN),)),
        ),
        tone=Tone.NEWS,
    )


def checklist_card(found: Sequence[Step], note: str = "", extra: Sequence[Button] = ()) -> Card:
    """Return the checklist; `note` says what was just done, `extra` are buttons for it (Undo)."""
    done = sum(step.state is State.DONE for step in found)
    lines: list[Line] = []
    if note:
        lines += [Text(note), *([Buttons(tuple(extra))] if extra else []), Divider()]
    for step in found:
        text = f"{step.state.value} **{step.title}**\n{step.text}"
        lines.append(Row(text, step.button) if step.button else Text(text))
    lines.append(Divider())
    if is_complete(found):
        lines.append(Text("All done. Buy something in test mode and watch the role arrive."))
    lines.append(Text("-# Everything is done here in Discord; this version has no admin pages on the web."))
    lines.append(Buttons((Button(label="Check again", action="setup-check"), Button(label="Doctor", action="doctor"))))
    tone = Tone.GOOD if is_complete(found) else Tone.NEWS
    return Card(title=f"Set-up · {done} of {len(found)} done", lines=tuple(lines), tone=tone)


def waiting_card(*, asked_now: bool, server: str, guild_id: int) -> Card:
    """Tell somebody that the operator has to let their server in."""
    asked = (
        "I have asked them now, by direct message. You get one as soon as they answer."
        if asked_now
        else "They were asked in the last seven days. You get a direct message as soon as they answer."
    )
    return Card(
        title="Whoever runs this Doorlist has to let this server in",
        lines=(
            Text(
                f"{asked}\nUntil then nothing happens here, and nobody's customers can be seen.\n"
                f"-# For the operator, without Discord: `python3 bot.py server approve {guild_id}`"
            ),
            Buttons((Button(label="Look again", action="setup-open"),)),
        ),
        tone=Tone.WARN,
    )


def channel_card(what: str, *, can_make: bool) -> Card:
    """Let somebody choose where the panel or the event log goes."""
    title, text = {
        PANEL: (
            "Where should the panel stand?",
            "Everybody should see the channel; nobody has to be able to write in it.",
        ),
        LOG: (
            "Where should staff see what happened?",
            "A channel that only staff can read: it names who pays and who stopped.",
        ),
    }[what]
    make = Button(label=f"Make #{NAMES[what]}", action="setup-make", args=(what,), style=Style.MAIN)
    buttons = (make, _BACK) if can_make else (_BACK,)
    without = "" if can_make else "\n-# I can make one if you give me Manage Channels for that moment."
    return Card(
        title=title,
        lines=(
            Text(text + without),
            Choice(action="setup-post", args=(what,), placeholder="Choose a channel", kind=Pick.CHANNEL),
            Buttons(buttons),
        ),
        tone=Tone.NEWS,
    )


def payments_card(mode: str) -> Card:
    """Say how a payment account is configured; `mode` is what is there now, "" for nothing."""
    now = f"Now: {mode}.\n" if mode else ""
    return Card(
        title="Payments",
        lines=(
            Text(
                f"{now}Keys never go through Discord: whoever runs this Doorlist puts them on its machine.\n"
                "1. Stripe → Developers → API keys → make a restricted key; test keys begin with `rk_test_`, "
                "live ones with `rk_live_`.\n"
                "2. Put it into `secrets/payments__stripe__api_key`.\n"
                "3. Stripe → Developers → Webhooks → add the address of this Doorlist and `/webhooks/stripe`, and put "
                "the signing secret into `secrets/payments__stripe__webhook_secret`.\n"
                "4. Restart Doorlist. `python3 bot.py doctor` says what is missing.\n"
                "Test and live are two accounts: products are mapped again with `/plan edit` after going live."
            ),
            Buttons((_BACK,)),
        ),
        tone=Tone.NEWS,
    )

"""What the pages of a sign-in say about how it went (EXPERIENCE 3.5): state, reason, next step. Pure.

How far the roles are is said in access_words.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from http import HTTPStatus
from typing import assert_never

from locales.catalogue import Words
from web.access_words import listed
from web.parts import ConnectPreview, LinkState, VerifyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A way on from a notice: a link, or with `is_act` a form's button that does something."""

    label: str
    url: str
    is_act: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A page that says one thing. `tone` is ok, info, warn or bad; the first step is the one to take."""

    title: str
    text: str
    tone: str = "info"
    steps: tuple[Step, ...] = ()
    status: int = HTTPStatus.OK


def sign_in_too_old(words: Words) -> Notice:
    """Say that a sign-in's state was not found: too old, used, or another browser's."""
    return Notice(
        title=words.say("Please start again"),
        text=words.say(
            "This sign-in took too long, was finished already, or was opened in another browser. Nothing was changed. "
            "Open the link from your mail once more, or press the button in Discord again."
        ),
        tone="warn",
        steps=(Step(label=words.say("My memberships"), url="/portal"),),
        status=HTTPStatus.BAD_REQUEST,
    )


def start_again(words: Words, back: str) -> Notice:
    """Say that a question is not open any more, with the way to where it began."""
    return Notice(
        title=words.say("Please start again"),
        text=words.say("That took too long, or was finished already. Please start again."),
        tone="warn",
        steps=(Step(label=words.say("Back"), url=back),),
        status=HTTPStatus.BAD_REQUEST,
    )


def forgotten(words: Words) -> Notice:
    """Say that nothing is kept any more of what this page would show."""
    return Notice(
        title=words.say("This page has served its time"),
        text=words.say(
            "If you connected Discord, everything goes on by itself. If you were in the middle of it, nothing was "
            "changed: open the link from your mail once more."
        ),
        steps=(Step(label=words.say("My memberships"), url="/portal"),),
        status=HTTPStatus.BAD_REQUEST,
    )


def not_the_payer(words: Words) -> Notice:
    """Say what somebody may know who only knows a checkout."""
    return Notice(
        title=words.say("Thank you"),
        text=words.say(
            "The link in your mail connects it to your Discord account. If you have not paid yet, nothing was charged."
        ),
    )


def nothing_paid_yet(words: Words) -> Notice:
    """Say what the page after paying is for, to whoever comes to it without having paid."""
    return Notice(
        title=words.say("This page follows a payment"),
        text=words.say(
            "The checkout sends you here once you have paid. If you have paid already, the link in your mail brings "
            "you on, or sign in to see what you have."
        ),
        steps=(
            Step(label=words.say("Sign in"), url="/sign-in"),
            Step(label=words.say("See the plans"), url="/"),
        ),
    )


def mailed_again(words: Words) -> Notice:
    """Say that a new link may be on its way, whether there was something to mail or not."""
    return Notice(
        title=words.say("Look into your mail"),
        text=words.say(
            "If the purchase still runs, a new link is on its way to the address it was bought with. At most one goes "
            "out in an hour."
        ),
        tone="ok",
    )


def ticket_old(words: Words, *, status: int = HTTPStatus.BAD_REQUEST) -> Notice:
    """Say that the button's link in Discord is over."""
    return Notice(
        title=words.say("This link is old"),
        text=words.say(
            "Links from the button in Discord work for ten minutes, and for you alone. Nothing was changed. Press the "
            "button in Discord again."
        ),
        tone="warn",
        status=status,
    )


def one_moment(words: Words) -> Notice:
    """Say that it is being done."""
    return Notice(title=words.say("One moment"), text=words.say("We are connecting your Discord account."))


def stopped(words: Words, why: str, *, text: str, back: str) -> Notice:
    """Say why a sign-in went no further, with the way back to where it began; `why` is a word of sign_in.Attempt."""
    again = Step(label=words.say("Try again"), url=back)
    match why:
        case "denied":
            return Notice(
                title=words.say("You pressed Cancel at Discord"),
                text=words.say(
                    "Your purchase is safe, and nothing was changed. Connect whenever you like: here, by the link in "
                    "your mail, or with the code that stands in the mail."
                ),
                steps=(again,),
            )
        case "kept":
            return Notice(
                title=words.say("Nothing was changed"),
                text=words.say("Your purchase stays where it was."),
                steps=(Step(label=words.say("Back"), url=back),),
            )
        case "discord_down":
            return Notice(
                title=words.say("Discord is not answering"),
                text=words.say(
                    "Your purchase is safe, and nothing was changed. Please try again in a minute; the link in your "
                    "mail does the same whenever you have time."
                ),
                tone="warn",
                steps=(again,),
                status=HTTPStatus.SERVICE_UNAVAILABLE,
            )
        case "not_set_up":
            return Notice(
                title=words.say("Sign-in is not working"),
                text=words.say(
                    "Discord does not accept this server's sign-in settings. Your purchase is safe; please tell the "
                    "staff. The code from your mail works meanwhile."
                ),
                tone="bad",
                steps=(again,),
                status=HTTPStatus.SERVICE_UNAVAILABLE,
            )
        case _:
            return Notice(
                title=words.say("That sign-in did not work"),
                # What Discord's answer came to is marked for translation where it is worded.
                text=words.say(text) if text else words.say("Discord sent you back without a sign-in."),
                tone="warn",
                steps=(again,),
                status=HTTPStatus.BAD_REQUEST,
            )


def not_verified(words: Words, result: VerifyResult, email: str) -> Notice:
    """Say why a sign-in connected nothing and what to do; `email` is the masked address that Discord named."""
    way_on = words.say("Go back to Discord and press Send me a link by mail, or I have a code if you have one from us.")
    match result:
        case VerifyResult.NOTHING:
            title = words.say("We found no purchase")
            text = words.say("Nothing was bought with {email} that still runs. Was it another address?", email=email)
        case VerifyResult.UNVERIFIED:
            title = words.say("Discord does not know your address for sure")
            text = words.say("Your Discord account has no verified e-mail address, so it proves nothing to us.")
        case VerifyResult.SOMEBODY_ELSES:
            title = words.say("Another Discord account has it")
            text = words.say(
                "What was bought with {email} is connected to another Discord account, and we never take it from there "
                "by ourselves. A mailed link moves it.",
                email=email,
            )
        case _:
            title = words.say("One step is left")
            text = words.say("Here an address alone does not connect a purchase.")
    return Notice(title=title, text=f"{text} {way_on}")


def other_account(words: Words, expected: str, came: str, *, back: str, go_on: str) -> Notice:
    """Say that somebody else signed in than the one who pressed the button; let them go on or come as the other."""
    return Notice(
        title=words.say("You signed in as somebody else"),
        text=words.say(
            "You pressed the button as {expected} but signed in as {came}. Nothing was changed. Change the account "
            "at Discord and try again, or use {came}: it then gets what was bought with its own verified address.",
            expected=expected,
            came=came,
        ),
        tone="warn",
        steps=(
            Step(label=words.say("Use {handle}", handle=came), url=go_on, is_act=True),
            Step(label=words.say("Switch account"), url=back),
        ),
        status=HTTPStatus.CONFLICT,
    )


def dead_link(words: Words, preview: ConnectPreview, *, again_url: str) -> Notice:
    """Say why a mailed link cannot connect anything, and offer a new one by mail where there was one."""
    mail_me = Step(label=words.say("Mail me a new link"), url=again_url, is_act=True)
    match preview.state:
        case LinkState.USED:
            return Notice(
                title=words.say("This link was used already"),
                text=" ".join(_what_became_of_it(words, preview)),
                steps=(mail_me, Step(label=words.say("My memberships"), url="/portal")),
            )
        case LinkState.EXPIRED:
            return Notice(
                title=words.say("This link is too old"),
                text=words.say(
                    "Links from our mails work for a limited time. Your purchase is safe, and we can mail a new link "
                    "to the address it was bought with."
                ),
                tone="warn",
                steps=(mail_me,),
                status=HTTPStatus.GONE,
            )
        case LinkState.UNKNOWN | LinkState.READY | LinkState.LINKED:
            return Notice(
                title=words.say("We do not know this link"),
                text=words.say("Check that it was copied whole, from the first to the last character."),
                tone="warn",
                status=HTTPStatus.NOT_FOUND,
            )
        case never:
            assert_never(never)


def _what_became_of_it(words: Words, preview: ConnectPreview) -> list[str]:
    plans = listed(words, preview.plan_names)
    taken = words.say("{plans} is taken care of.", plans=plans) if plans else words.say("It is taken care of.")
    holder = words.say("It is connected to {holder}.", holder=preview.linked_to) if preview.linked_to else ""
    way_on = words.say(
        "Is that not you, or should another Discord account have it? We mail a new link to the address it was bought "
        "with, and that one moves it."
    )
    return [sentence for sentence in (taken, holder, way_on) if sentence]


def moved_too_often(words: Words, again_at: datetime | None) -> Notice:
    """Say that the account was switched as often as possible, and when it is possible again (None: by staff alone)."""
    return Notice(
        title=words.say("Moved too often"),
        text=moves_used_up(words, again_at),
        tone="warn",
        status=HTTPStatus.CONFLICT,
    )


def moves_used_up(words: Words, again_at: datetime | None, zone: tzinfo = UTC) -> str:
    """Say in two sentences when customers may switch again, and what helps before that."""
    if again_at is None:
        return words.say("Nothing was changed: only the staff of the server can move this to another Discord account.")
    return words.say(
        "This was moved to another Discord account as often as possible within 30 days, so nothing was changed. You "
        "can move it again after {moment} ({zone}); before that, the staff of the server can do it for you.",
        moment=words.moment(again_at, zone),
        zone=zone,
    )


def refusal(words: Words, back: str) -> Notice:
    """Say why a confirmed wish to connect could not be met."""
    return Notice(
        title=words.say("This purchase cannot be connected now"),
        text=words.say(
            "It has ended, or somebody connected it a moment ago. The link from your mail shows how it stands."
        ),
        tone="warn",
        steps=(Step(label=words.say("Look again"), url=back),),
        status=HTTPStatus.CONFLICT,
    )

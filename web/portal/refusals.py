"""What the core and the provider refuse customers, in the customer's language. What is not listed stays English."""

from __future__ import annotations

from locales.catalogue import Words, translatable
from membership.errors import UserError

_KNOWN = frozenset(
    (
        translatable("This is not a running subscription, so there is nothing to cancel."),
        translatable("This was paid once and does not renew: there is nothing to cancel."),
        translatable("This subscription has ended. To have it again, buy it again."),
        translatable("This subscription follows a schedule of the seller. Please ask them to change it."),
        translatable("This membership has ended, so there is nothing to mail."),
        translatable("We cannot send mail to this address. Please write to the staff of the server."),
        translatable(
            "Something is still being paid for. Cancel it first: erasing what we know does not stop the payments."
        ),
        translatable("You have bought nothing here, so there is no address and no name to erase."),
    )
)


def refusal_words(words: Words, refusal: UserError) -> str:
    """Say why something was refused."""
    text = refusal.text
    return words.say(text) if text in _KNOWN else text

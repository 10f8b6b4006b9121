"""Tells Discord how commands are described in other languages. Names stay English: people help each other by them."""

from __future__ import annotations

from discord import Locale, app_commands
from discord.app_commands import TranslationContextLocation, TranslationContextTypes, locale_str

from locales.catalogue import SOURCE_LOCALE, words_for

_DESCRIBED = (TranslationContextLocation.command_description, TranslationContextLocation.parameter_description)


class CommandTranslator(app_commands.Translator):
    """Translates the descriptions that are in the catalogues: those marked with `locale_str`, for members."""

    async def translate(self, string: locale_str, locale: Locale, context: TranslationContextTypes) -> str | None:
        """Return a description in a language, None to leave it in English."""
        words = words_for(locale.value)
        if context.location not in _DESCRIBED or words.locale == SOURCE_LOCALE:
            return None
        said = words.say(string.message)
        return None if said == string.message else said

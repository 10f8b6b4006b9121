"""The only home of discord.py: the bot, its supervision, and the adapter that membership calls Discord through."""

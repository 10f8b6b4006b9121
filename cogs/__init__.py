"""The only home of discord.py: what the bot sees, does and says on Discord."""

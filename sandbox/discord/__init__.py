"""A Discord for this machine: REST, gateway, OAuth, hierarchy, rate limits and faults. Start at LocalDiscord."""

from sandbox.discord.local import LocalDiscord

__all__ = ["LocalDiscord"]

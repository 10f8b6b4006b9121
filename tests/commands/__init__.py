"""Slash commands, buttons, lists and forms, played over the wire on the real process."""

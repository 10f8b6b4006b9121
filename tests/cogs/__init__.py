"""The Discord side: pure parts by tables, the rest over the wire against the local Discord."""

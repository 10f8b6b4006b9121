"""The scenarios of a purchase's life, over the sandbox, on the wire."""

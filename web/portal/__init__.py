"""The customers' own pages: their memberships, Discord account, billing, choices, data and browsers."""

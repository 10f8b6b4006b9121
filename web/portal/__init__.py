"""The pages of customers: what they have, and what they can do about it."""

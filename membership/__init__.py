"""What is true and what should happen: rules, use-cases and the durable queue. Knows no library of the outside."""

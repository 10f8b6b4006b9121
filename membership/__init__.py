"""What is true and what should happen: the rules, the use-cases and the durable queue. Knows no library of the outside."""

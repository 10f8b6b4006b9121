"""The use-cases over real SQLite, with only the outside played in memory."""

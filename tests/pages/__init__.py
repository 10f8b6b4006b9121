"""The pages over real use-cases and storage."""

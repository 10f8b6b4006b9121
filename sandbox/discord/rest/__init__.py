"""The REST routes of the local Discord, one module per family, and the pipeline around them."""

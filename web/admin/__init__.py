"""The pages of staff, one module per section, all under /admin/{guild}."""

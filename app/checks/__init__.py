"""The checks of doctor, panel and start, one module for each area. What a check is stands in membership/checks.py."""

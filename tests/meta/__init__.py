"""Tests that code, documents and the rules of the house agree."""

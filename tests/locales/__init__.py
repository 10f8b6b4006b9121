"""Tests of the catalogues: finding a language, and finding the texts in the code."""

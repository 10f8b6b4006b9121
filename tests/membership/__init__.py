"""Tests of the pure core: tables of the rules, and laws that hold for whatever comes."""

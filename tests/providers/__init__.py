"""Tests of the adapters to payment platforms."""

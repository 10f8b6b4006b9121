"""Tests of the doctor: the checks over a local Discord and Stripe, and the command."""

"""Tests of Stripe as a provider."""

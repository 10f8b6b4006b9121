"""The outside world on this machine: local Discord, local Stripe, mail catcher and the clock they share."""

"""Tests of the sandbox itself: whether the outside world that we test against is honest."""

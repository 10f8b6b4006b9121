"""Tests of the sandbox itself: is the outside world that we test against honest?"""

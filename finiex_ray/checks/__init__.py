"""Checks that a user can ask for: does a strategy look ahead, and does every way of running give the same bytes."""

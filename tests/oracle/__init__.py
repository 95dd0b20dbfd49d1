"""Slow plain-Python twins of the compiled rooms, written from the rules."""

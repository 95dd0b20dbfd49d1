"""Bars and blocks: what workers and logics see."""

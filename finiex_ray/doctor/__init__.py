"""Looks whether a machine has what runs need, with the mend for what it lacks."""

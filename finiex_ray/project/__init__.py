"""A project of one's own: its folder, and the modules of new workers and logics, from templates."""

"""From files of the predecessor to ours, with a list of what has no equivalent."""

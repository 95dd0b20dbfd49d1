"""From files of the predecessor, FiniexTestingIDE, to ours, with a list of what has no equivalent."""

"""Parameter studies: search, windows, walk-forward, and whether what was found holds."""

"""Earlier runs: list, compare, export and delete them; run their scenarios again, and hold the results against the files."""

"""The report of a run as web pages that need no network."""

"""Market data: the catalog, the importers, the quality report and the synthetic market."""

"""Scenario sets and broker files: models, loading, and how `global` values reach each scenario."""

"""One scenario: config and data become live objects, the tick loop runs them, a `ScenarioResult` comes out."""

"""Execution: plans a scenario set, runs it in this process or on Ray, and delivers one result for each scenario."""

"""The simulated broker: account, orders, positions, costs and margin."""

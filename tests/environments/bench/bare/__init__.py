"""The least that a provider can do, as the yardstick: what is left is the cost of the engine and of the protocol."""

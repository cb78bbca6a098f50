"""A minimal provider as the baseline: its time is the cost of the engine and of the protocol."""

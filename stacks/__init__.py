"""Environment of the platform: its settings, their schema, its providers, and the composition of the layers."""

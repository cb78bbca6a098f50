"""An environment: its values, their schema, its providers and how the layers are put together."""

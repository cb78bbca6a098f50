"""The commands that the sandbox adds to `mlp`."""

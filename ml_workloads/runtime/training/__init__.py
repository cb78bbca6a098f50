"""The part of a training run that runs the project's code, on the rows that the conductor leaves for it."""

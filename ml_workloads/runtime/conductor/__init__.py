"""A training run without the project's code: it divides the data, lets train, measures, judges and records."""

"""A training run: the project's code trains, the platform checks the data, measures, records and judges."""

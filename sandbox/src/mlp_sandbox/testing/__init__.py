"""A running sandbox for tests: fixtures, small programs, and waiting on conditions."""

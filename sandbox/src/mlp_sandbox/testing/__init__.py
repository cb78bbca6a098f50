"""Support for tests with a running sandbox: fixtures, small programs, and waiting on conditions."""

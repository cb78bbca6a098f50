"""Runs a project's code where it has no rights: it answers questions about the contract and about a model."""

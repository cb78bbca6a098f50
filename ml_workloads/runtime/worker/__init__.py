"""Runs a project's code in a pod without permissions, and answers requests about the contract and about a model."""

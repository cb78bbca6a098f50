"""Nodes of a cluster: real ones that run containers, and simulated ones."""

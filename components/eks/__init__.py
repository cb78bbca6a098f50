"""Kubernetes cluster of an environment: control plane, access entries, add-ons, and node groups."""

"""Webhooks of a cluster's API server: authentication of tokens, and authorisation by EKS access policies."""

from mlp_sandbox.emulator.kubernetes_access.webhooks import PREFIX, answer

__all__ = ["PREFIX", "answer"]

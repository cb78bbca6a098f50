"""What a cluster's API server asks the emulated AWS: who presents a token, and what EKS access policies let them do."""

from mlp_sandbox.emulator.kubernetes_access.webhooks import PREFIX, answer

__all__ = ["PREFIX", "answer"]

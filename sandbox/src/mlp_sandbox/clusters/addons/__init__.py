"""The EKS add-ons of a cluster: those that are pods here, and those that the nodes' own processes do."""

from mlp_sandbox.clusters.addons.keeper import AddonKeeper

__all__ = ["AddonKeeper"]

"""EKS add-ons of a cluster: those that run as pods here, and those that the nodes' own processes implement."""

from mlp_sandbox.clusters.addons.keeper import AddonKeeper

__all__ = ["AddonKeeper"]

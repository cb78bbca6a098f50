"""NetworkPolicy on real nodes, as the VPC CNI enforces it: from objects of the API to each node's own nftables."""

from mlp_sandbox.clusters.network_policy.addon import ADDON, enforced
from mlp_sandbox.clusters.network_policy.enforcer import Enforcer
from mlp_sandbox.clusters.network_policy.ruleset import AwsEndpoint

__all__ = ["ADDON", "AwsEndpoint", "Enforcer", "enforced"]

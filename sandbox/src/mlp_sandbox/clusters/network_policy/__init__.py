"""NetworkPolicy on real nodes, as the VPC CNI enforces it: API objects become nftables rules of each node."""

from mlp_sandbox.clusters.network_policy.addon import ADDON, enforced
from mlp_sandbox.clusters.network_policy.enforcer import Enforcer
from mlp_sandbox.clusters.network_policy.ruleset import AwsEndpoint

__all__ = ["ADDON", "AwsEndpoint", "Enforcer", "enforced"]

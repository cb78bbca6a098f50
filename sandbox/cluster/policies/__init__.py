"""NetworkPolicy on real nodes, as the VPC CNI enforces it: from objects of the API to each node's own nftables."""

from sandbox.cluster.policies.addon import ADDON, enforced
from sandbox.cluster.policies.enforcer import Enforcer
from sandbox.cluster.policies.ruleset import AwsEndpoint

__all__ = ["ADDON", "AwsEndpoint", "Enforcer", "enforced"]

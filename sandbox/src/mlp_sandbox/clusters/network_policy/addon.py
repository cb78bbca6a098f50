"""Settings of the VPC CNI add-on that enable the enforcement of NetworkPolicy.

https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlp_sandbox.contracts.desired import EksAddon

ADDON = "vpc-cni"
_SWITCH = "enableNetworkPolicy"
_MODE = "NETWORK_POLICY_ENFORCING_MODE"


def enforced(addons: Iterable[EksAddon]) -> bool:
    return any(addon.name == ADDON and addon.configuration.get(_SWITCH) == "true" for addon in addons)


def words(addon: EksAddon, *, real_nodes: bool) -> str:
    """Describe the effect of the add-on in this cluster."""
    if not real_nodes:
        return "nothing: there are no real nodes, and NetworkPolicy is enforced nowhere"
    network = "the network of every real node"
    if not enforced([addon]):
        return f'{network}; NetworkPolicy is not enforced: its configurationValues have no {_SWITCH} "true"'
    environment = addon.configuration.get("env")
    mode = environment.get(_MODE) if isinstance(environment, Mapping) else None
    if mode not in (None, "standard"):
        return f"{network}, which enforces NetworkPolicy as in mode standard: {_MODE} {mode!r} changes nothing here"
    return f"{network}, which enforces NetworkPolicy"

"""Policies are enforced while the VPC CNI is installed with enforcement on; the add-on's status shows the state."""

from typing import Any

import pytest

from mlp_sandbox.clusters.network_policy.addon import enforced, words
from mlp_sandbox.contracts.desired import EksAddon


def vpc_cni(**configuration: Any) -> EksAddon:
    return EksAddon(name="vpc-cni", version="v1", configuration=configuration)


@pytest.mark.parametrize(
    ("addons", "wanted"),
    [
        ([], False),
        ([vpc_cni()], False),
        ([vpc_cni(enableNetworkPolicy="false")], False),
        ([vpc_cni(enableNetworkPolicy="true")], True),
        ([EksAddon(name="kube-proxy", version="v1", configuration={"enableNetworkPolicy": "true"})], False),
    ],
)
def test_policies_are_enforced_while_the_add_on_says_so(addons: list[EksAddon], wanted: bool):
    assert enforced(addons) is wanted


@pytest.mark.parametrize(
    ("addon", "real_nodes", "said"),
    [
        (vpc_cni(enableNetworkPolicy="true"), True, "which enforces NetworkPolicy"),
        (vpc_cni(), True, 'not enforced: its configurationValues have no enableNetworkPolicy "true"'),
        (vpc_cni(enableNetworkPolicy="true"), False, "enforced nowhere"),
        (
            vpc_cni(enableNetworkPolicy="true", env={"NETWORK_POLICY_ENFORCING_MODE": "strict"}),
            True,
            "NETWORK_POLICY_ENFORCING_MODE 'strict' changes nothing here",
        ),
    ],
)
def test_the_status_says_whether_they_are(addon: EksAddon, real_nodes: bool, said: str):
    assert said in words(addon, real_nodes=real_nodes)

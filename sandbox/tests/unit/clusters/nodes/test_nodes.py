"""Mapping of a cluster's instances to real and simulated nodes."""

from typing import Any

import pytest

from components.instance_families import FAMILIES, gives_pods_interfaces
from mlp_sandbox.clusters.nodes.branch_interfaces import branch_interfaces
from mlp_sandbox.clusters.nodes.nodes import (
    SIMULATED_TAINT,
    assign_pod_ranges,
    choose_real,
    pod_range,
    simulated_pod_range,
    wanted_nodes,
)
from mlp_sandbox.clusters.nodes.simulated_nodes import SIMULATED_LABEL
from mlp_sandbox.contracts.desired import EksAddon, EksTaint
from mlp_sandbox.errors import SandboxError
from sandbox.tests.unit.clusters.clusters import GPU_TAINT, cluster, group, instance

PREFIXES = EksAddon(name="vpc-cni", version="v1", configuration={"env": {"ENABLE_PREFIX_DELEGATION": "true"}})


def names(*numbers: int) -> set[str]:
    return {instance(number).private_dns_name for number in numbers}


def test_two_general_nodes_and_one_accelerated_node_are_real():
    made = cluster(
        group("general", *(instance(number) for number in range(3))),
        group("l4", *(instance(number, "g6.xlarge") for number in (10, 11)), taints=(GPU_TAINT,)),
    )
    assert choose_real(made, ()) == names(0, 1, 10)


def test_the_first_accelerated_group_that_has_an_instance_gets_the_real_node():
    made = cluster(
        group("b", instance(2, "g6.xlarge"), taints=(GPU_TAINT,)),
        group("a", taints=(GPU_TAINT,)),
        group("c", instance(1, "g6.xlarge"), taints=(GPU_TAINT,)),
    )
    assert choose_real(made, ()) == names(2)


def test_a_node_that_is_real_stays_real_when_one_comes_that_sorts_before_it():
    before = cluster(group("general", instance(5), instance(6)))
    real = choose_real(before, ())
    assert choose_real(cluster(group("general", *(instance(number) for number in (1, 5, 6)))), real) == real


def test_a_simulated_node_becomes_real_when_a_real_one_has_left():
    assert choose_real(cluster(group("general", instance(6), instance(7))), names(5, 6)) == names(6, 7)


def test_groups_that_take_any_pod_are_real_before_dedicated_ones():
    dedicated = EksTaint(key="team", value="a", effect="NoSchedule")
    made = cluster(
        group("a-dedicated", instance(1), instance(2), taints=(dedicated,)), group("general", instance(3), instance(4))
    )
    assert choose_real(made, ()) == names(3, 4)


def test_without_root_every_node_is_simulated_and_none_is_tainted_for_it():
    wanted = wanted_nodes(cluster(group("general", instance(0))), real_possible=False)
    assert [(spec.real, spec.taints, spec.pod_cidr) for spec in wanted.specs] == [(False, (), None)]


def test_simulated_nodes_are_tainted_only_beside_real_ones_of_their_group():
    made = cluster(
        group("a", *(instance(number) for number in range(3))),
        group("b", instance(20)),
    )
    taints = {spec.name: spec.taints for spec in wanted_nodes(made).specs if not spec.real}
    assert taints == {instance(2).private_dns_name: (SIMULATED_TAINT,), instance(20).private_dns_name: ()}


def test_a_node_carries_the_labels_of_kubernetes_and_eks_and_its_groups_own():
    made = cluster(
        group(
            "l4",
            instance(0, "g6.xlarge"),
            labels={"accelerator": "nvidia-l4"},
            capacity_type="SPOT",
            taints=(GPU_TAINT,),
        )
    )
    [spec] = wanted_nodes(made).specs
    name = instance(0).private_dns_name
    assert spec.labels == {
        "accelerator": "nvidia-l4",
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": "g6.xlarge",
        "beta.kubernetes.io/os": "linux",
        "eks.amazonaws.com/capacityType": "SPOT",
        "eks.amazonaws.com/nodegroup": "l4",
        "failure-domain.beta.kubernetes.io/region": "us-east-1",
        "failure-domain.beta.kubernetes.io/zone": "us-east-1a",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "g6.xlarge",
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": "us-east-1a",
    }
    assert spec.provider_id == f"aws:///us-east-1a/{instance(0).instance_id}"
    assert spec.accelerators == {"nvidia.com/gpu": 1}
    assert spec.taints == (GPU_TAINT,)


def test_simulated_nodes_say_so_in_a_label():
    [spec] = wanted_nodes(cluster(group("general", instance(0))), real_possible=False).specs
    assert spec.labels[SIMULATED_LABEL] == "true"


def test_an_unknown_instance_type_is_a_problem_of_its_node_alone():
    wanted = wanted_nodes(cluster(group("general", instance(0, "m99.huge"), instance(1))))
    assert [spec.name for spec in wanted.specs] == [instance(1).private_dns_name]
    assert "'m99.huge' is not known" in wanted.problems[instance(0).private_dns_name]


def test_prefix_delegation_of_the_cni_makes_room_for_more_pods():
    general = group("general", instance(0))
    [plain] = wanted_nodes(cluster(general)).specs
    [prefixed] = wanted_nodes(cluster(general, addons=(PREFIXES,))).specs
    assert (plain.max_pods, prefixed.max_pods) == (29, 110)


def test_nodes_announce_interfaces_for_pods_where_cni_role_and_type_have_them():
    general = group("general", instance(0), instance(1, "t3.large"))
    cni = EksAddon(name="vpc-cni", version="v1", configuration={"env": {"ENABLE_POD_ENI": "true"}})

    def announced(**changes: Any) -> list[dict[str, int]]:
        return [dict(spec.interfaces) for spec in wanted_nodes(cluster(general, **changes)).specs]

    assert announced(addons=(cni,), gives_pods_interfaces=True) == [{"vpc.amazonaws.com/pod-eni": 9}, {}]
    assert announced(addons=(cni,)) == [{}, {}]
    assert announced(gives_pods_interfaces=True) == [{}, {}]


def test_the_program_and_the_sandbox_agree_which_instances_have_interfaces_for_pods():
    known = [f"{family}.{size}" for family, each in FAMILIES.items() for size in each.sizes]
    assert len(known) > 300
    assert {name for name in known if gives_pods_interfaces(name) != (branch_interfaces(name) > 0)} == set()


def test_every_real_node_has_a_pod_range_of_its_own_and_keeps_it():
    made = cluster(group("general", instance(1), instance(2)))
    first = {spec.name: spec.pod_cidr for spec in wanted_nodes(made).specs}
    assert set(first.values()) == {"100.64.0.0/24", "100.64.1.0/24"}
    later = cluster(group("general", instance(0), instance(2)))
    kept = {spec.name: spec.pod_cidr for spec in wanted_nodes(later, real_before=first).specs}
    assert kept[instance(2).private_dns_name] == first[instance(2).private_dns_name]
    assert kept[instance(0).private_dns_name] == first[instance(1).private_dns_name]


def test_an_exhausted_pod_range_is_told_and_the_other_nodes_come():
    made = cluster(group("general", instance(0), instance(1)), pod_cidr="100.64.0.0/23")
    wanted = wanted_nodes(made)
    assert [spec.pod_cidr for spec in wanted.specs] == ["100.64.0.0/24"]
    assert "pod range 100.64.0.0/23 is exhausted" in wanted.problems[instance(1).private_dns_name]


def test_a_pod_range_too_small_for_a_node_gives_none():
    assert assign_pod_ranges("100.64.0.0/25", {"a": None}) == {"a": None}


def test_simulated_pods_have_addresses_that_no_real_node_has():
    assert simulated_pod_range("100.64.0.0/16") == "100.64.128.0/17"
    assert "100.64.128.0/24" not in assign_pod_ranges("100.64.0.0/16", {f"n{i}": None for i in range(128)}).values()


def test_pods_that_would_share_the_nodes_range_get_another():
    assert pod_range(cluster(pod_cidr="10.10.0.0/16")) == "100.64.0.0/16"
    assert pod_range(cluster(pod_cidr="100.64.0.0/16", vpc_cidr="100.64.0.0/12")) == "198.19.0.0/16"


def test_no_range_left_for_pods_is_an_error_that_names_the_others():
    with pytest.raises(SandboxError, match=r"beside the VPC's 0\.0\.0\.0/0"):
        pod_range(cluster(vpc_cidr="0.0.0.0/0"))


def test_nodes_with_efa_interfaces_announce_them_and_are_never_real():
    made = cluster(
        group("a-h100", instance(1, "p5.48xlarge"), taints=(GPU_TAINT,), efa_interfaces=32),
        group("l4", instance(2, "g6.xlarge"), taints=(GPU_TAINT,)),
    )
    assert choose_real(made, ()) == names(2)
    announced = {spec.node_group: dict(spec.accelerators) for spec in wanted_nodes(made).specs}
    assert announced == {"a-h100": {"nvidia.com/gpu": 8, "vpc.amazonaws.com/efa": 32}, "l4": {"nvidia.com/gpu": 1}}

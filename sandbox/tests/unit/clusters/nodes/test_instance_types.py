"""Capacity of instance types, compared with the figures that AWS documents."""

import pytest

from mlp_sandbox.clusters.nodes.instance_types import instance_type
from mlp_sandbox.errors import SandboxError


@pytest.mark.parametrize(
    ("name", "cpus", "accelerators"),
    [
        ("m7i.large", 2, {}),
        ("g4dn.12xlarge", 48, {"nvidia.com/gpu": 4}),
        ("g6.xlarge", 4, {"nvidia.com/gpu": 1}),
        ("p5.48xlarge", 192, {"nvidia.com/gpu": 8}),
        ("inf2.24xlarge", 96, {"aws.amazon.com/neuron": 6, "aws.amazon.com/neuroncore": 12}),
        ("trn1.32xlarge", 128, {"aws.amazon.com/neuron": 16, "aws.amazon.com/neuroncore": 32}),
    ],
)
def test_processors_and_accelerators_of_a_type(name: str, cpus: int, accelerators: dict[str, int]):
    kind = instance_type(name)
    assert (kind.cpus, dict(kind.accelerators)) == (cpus, accelerators)


def test_a_fraction_of_a_gpu_is_announced_as_one():
    assert dict(instance_type("g6f.large").accelerators) == {"nvidia.com/gpu": 1}


def test_arm_types_say_so():
    assert instance_type("m7g.large").architecture == "arm64"


def test_the_kernel_sees_less_than_the_nominal_memory():
    assert 7400 < instance_type("m7i.large").memory_mib < 8192


@pytest.mark.parametrize(
    ("name", "prefixes", "pods"),
    [
        ("m7i.large", False, 29),  # 3 interfaces of 10 addresses
        ("t3.medium", False, 17),
        ("m5.4xlarge", False, 110),
        ("m7i.large", True, 110),
        ("p5.48xlarge", True, 250),
        ("t3.nano", True, 34),
    ],
)
def test_room_for_pods_follows_the_network_interfaces_up_to_the_cap(name: str, prefixes: bool, pods: int):
    assert instance_type(name).max_pods(prefix_delegation=prefixes) == pods


def test_a_type_that_does_not_exist_is_named():
    with pytest.raises(SandboxError, match=r"'q1\.tiny' is not known"):
        instance_type("q1.tiny")

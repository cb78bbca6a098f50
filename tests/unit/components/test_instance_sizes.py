"""The table of sizes agrees with EC2's own data, and the free capacity of nodes follows EKS's rules."""

from typing import Any

import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from components import instance_sizes
from components.instance_families import FAMILIES, gives_pods_interfaces
from components.instance_sizes import TABLE, Amount, instance_size, smallest_of

TYPES = [f"{family}.{size}" for family, entry in FAMILIES.items() for size in entry.sizes]


def extended_resources(found: Any) -> dict[str, int]:
    """Return the devices of a type in EC2's data, under the resource names that pods request."""
    gpus = found.get("GpuInfo", {}).get("Gpus", [])
    devices = found.get("NeuronInfo", {}).get("NeuronDevices", [])
    if gpus:
        return {"nvidia.com/gpu": sum(int(each.get("LogicalGpuCount") or each["Count"]) for each in gpus)}
    if devices:
        return {
            "aws.amazon.com/neuron": sum(each["Count"] for each in devices),
            "aws.amazon.com/neuroncore": sum(each["Count"] * each["CoreInfo"]["Count"] for each in devices),
        }
    return {}


def test_every_type_of_the_families_has_a_row_and_no_other_type_has_one():
    rows = [line.partition(",")[0] for line in TABLE.read_text().splitlines() if not line.startswith("#")][1:]
    assert [name for name in TYPES if name not in rows] == [], "these types have no row in instance_sizes.csv"
    assert sorted(rows) == sorted(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_sizes_are_those_of_ec2(name: str):
    assert name in INSTANCE_TYPES, f"moto's catalogue has no {name}"
    found, size = INSTANCE_TYPES[name], instance_size(name)
    network = found["NetworkInfo"]
    assert (size.cpus, size.nominal_memory_mib) == (
        found["VCpuInfo"]["DefaultVCpus"],
        found["MemoryInfo"]["SizeInMiB"],
    )
    assert (size.interfaces, size.addresses_per_interface) == (
        network["MaximumNetworkInterfaces"],
        network["Ipv4AddressesPerInterface"],
    )
    architecture = {"amd64": "x86_64", "arm64": "arm64"}[size.architecture]
    assert architecture in found["ProcessorInfo"]["SupportedArchitectures"]
    assert size.accelerators == extended_resources(found)


def test_types_have_interfaces_for_pods_where_the_settings_say_so():
    assert [name for name in TYPES if gives_pods_interfaces(name) != (instance_size(name).branch_interfaces > 0)] == []


@pytest.mark.parametrize(
    ("name", "plain", "prefixed"),
    [
        ("t3.nano", 4, 34),
        ("m7i.large", 29, 110),
        ("m7i.2xlarge", 58, 110),
        ("m7i.8xlarge", 234, 250),
        ("p5.48xlarge", 250, 250),
    ],
)
def test_pods_are_limited_by_addresses_and_by_the_cap_of_eks(name: str, plain: int, prefixed: int):
    size = instance_size(name)
    assert (size.max_pods(prefix_delegation=False), size.max_pods(prefix_delegation=True)) == (plain, prefixed)


def test_node_images_reserve_a_share_of_each_processor_and_memory_for_each_pod():
    size = instance_size("m7i.2xlarge")
    assert size.memory_mib == 30310
    assert size.reserved(prefix_delegation=True) == Amount(millicores=90, memory_mib=11 * 110 + 255)
    assert size.reserved(prefix_delegation=False) == Amount(millicores=90, memory_mib=11 * 58 + 255)
    assert size.allocatable(prefix_delegation=True) == Amount(millicores=7910, memory_mib=30310 - 1465 - 100)
    assert instance_size("m7a.medium").reserved(prefix_delegation=True).millicores == 60
    assert instance_size("c5.18xlarge").reserved(prefix_delegation=True).millicores == 250


def test_an_instance_that_the_system_fills_leaves_no_memory():
    assert instance_size("t3.nano").allocatable(prefix_delegation=True).memory_mib == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("m7ii.large", r"instance type 'm7ii\.large': there is no instance family 'm7ii' .*did you mean 'm7i'"),
        ("m7i.huge", r"instance type 'm7i\.huge': family m7i has no size 'huge', its sizes are 12xlarge"),
        ("", "instance type '': there is no instance family ''"),
    ],
)
def test_an_unknown_type_is_named_with_what_to_write(name: str, said: str):
    with pytest.raises(ValueError, match=said):
        instance_size(name)


def test_a_type_without_a_row_is_named_with_the_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(instance_sizes, "_rows", dict)
    with pytest.raises(ValueError, match=r"'m7i\.large' has no row in components/instance_sizes\.csv; add one"):
        instance_size("m7i.large")


def test_the_smallest_type_has_the_fewest_processors_and_then_the_least_memory():
    assert smallest_of(["r7i.xlarge", "m7i.xlarge", "c7i.2xlarge"]).name == "m7i.xlarge"

"""The tables of accelerators and instance families agree with EC2's own data."""

from typing import Any

import botocore.session
import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from components.accelerators import ACCELERATORS, ARM, NEURON, NO_ACCELERATOR, NVIDIA, X86, image_type, of_vendor
from components.instance_families import DATABASE_FAMILIES, FAMILIES, family_of, size_of

TYPES = [f"{family}.{size}" for family, entry in FAMILIES.items() for size in entry.sizes]


def chips(name: str) -> list[Any]:
    """Return the chips of a type; Inferentia's Neuron devices count, not its inference accelerators."""
    found = INSTANCE_TYPES[name]
    return found.get("GpuInfo", {}).get("Gpus") or found.get("NeuronInfo", {}).get("NeuronDevices") or []


def test_every_instance_type_of_the_table_exists_in_ec2():
    assert [name for name in TYPES if name not in INSTANCE_TYPES] == []


def test_architectures_are_those_of_ec2():
    wrong = [
        name
        for name in TYPES
        if family_of(name).architecture not in INSTANCE_TYPES[name]["ProcessorInfo"]["SupportedArchitectures"]
    ]
    assert wrong == []


@pytest.mark.parametrize("name", TYPES)
def test_accelerators_and_how_many_are_those_of_ec2(name: str):
    accelerator, found = family_of(name).accelerator, chips(name)
    assert sum(chip["Count"] for chip in found) == size_of(name).devices
    if accelerator == NO_ACCELERATOR:
        assert found == []
    else:
        known = ACCELERATORS[accelerator]
        assert {(chip["Name"], chip["MemoryInfo"]["SizeInMiB"]) for chip in found} == {(known.chip, known.memory_mib)}


@pytest.mark.parametrize("name", TYPES)
def test_efa_and_disks_are_those_of_ec2(name: str):
    network = INSTANCE_TYPES[name]["NetworkInfo"]
    most = network["EfaInfo"]["MaximumEfaInterfaces"] if network["EfaSupported"] else 0
    assert size_of(name).efa == most
    assert family_of(name).store is INSTANCE_TYPES[name]["InstanceStorageSupported"]
    if most:
        first = network["NetworkCards"][0].get("InterfaceTypes", ["efa"])
        assert family_of(name).efa_on_first_card is ("efa" in first)
        # One interface per card: that many cards there are, the first one aside where it has no EFA.
        assert network["MaximumNetworkCards"] == most + (0 if family_of(name).efa_on_first_card else 1)


def test_every_accelerator_is_in_some_family_and_the_other_way_round():
    assert {family.accelerator for family in FAMILIES.values()} == {*ACCELERATORS, NO_ACCELERATOR}


def test_image_types_are_those_of_eks():
    model: Any = botocore.session.get_session().get_service_model("eks")
    known = set(model.shape_for("AMITypes").enum)
    for family in FAMILIES.values():
        assert image_type(family.accelerator, family.architecture) in known


def test_there_is_no_image_for_neuron_on_arm():
    with pytest.raises(ValueError, match=r"EKS has no AMI for aws-trainium on arm64, only for x86_64"):
        image_type("aws-trainium", ARM)
    assert image_type("nvidia-l4", X86) == "AL2023_x86_64_NVIDIA"


def test_a_device_plugin_serves_the_accelerators_of_its_vendor_only():
    names = ("nvidia-l4", "aws-trainium", NO_ACCELERATOR, "nvidia-l4")
    assert of_vendor(NVIDIA, names) == ("nvidia-l4",)
    assert of_vendor(NEURON, names) == ("aws-trainium",)


def test_taints_have_the_spelling_of_kubernetes_and_that_of_eks():
    model: Any = botocore.session.get_session().get_service_model("eks")
    for accelerator in ACCELERATORS.values():
        taint = accelerator.vendor.taint
        assert taint.effect == "NoSchedule"
        assert taint.eks_effect in model.shape_for("TaintEffect").enum
        assert taint.key == accelerator.vendor.resource


def test_database_families_are_families():
    assert set(DATABASE_FAMILIES) <= set(FAMILIES)


@pytest.mark.parametrize("family", ["m7", "M7i", "", "m7i-"])
def test_near_misses_are_no_families(family: str):
    with pytest.raises(ValueError, match="there is no instance family"):
        family_of(f"{family}.large")

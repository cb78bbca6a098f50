"""The tables of regions, instance families and retention periods agree with what AWS's own data says."""

from typing import Any

import botocore.session
import pytest
from moto.ec2.models.instance_types import INSTANCE_TYPES

from stacks.settings.instance_families import DATABASE_FAMILIES, FAMILIES, NO_ACCELERATOR, family_of
from stacks.settings.network import RETENTION_DAYS
from stacks.settings.regions import ENDPOINT_SERVICES, PRIVATE_NODE_SERVICES, REGIONS

CHIPS = {  # name in EC2's catalogue, memory in MiB where the name does not tell types apart
    "nvidia-t4": ("T4", 16384),
    "nvidia-a10g": ("A10G", 22888),
    "nvidia-l4": ("L4", 22888),
    "nvidia-l40s": ("L40S", 45776),
    "nvidia-rtx-pro-6000": ("RTX PRO Server 6000", 98304),
    "nvidia-a100-40gb": ("A100", 40960),
    "nvidia-a100-80gb": ("A100", 81920),
    "nvidia-h100": ("H100", 81920),
    "nvidia-h200": ("H200", 144384),
    "nvidia-b200": ("B200", 183359),
    "nvidia-b300": ("B300", 275040),
    "aws-inferentia2": ("Inferentia2", 32768),
    "aws-trainium": ("Trainium", 32768),
    "aws-trainium2": ("Trainium2", 524288),
}
TYPES = [f"{family}.{size}" for family, entry in FAMILIES.items() for size in entry.sizes]


def test_regions_are_those_that_have_eks():
    assert set(REGIONS) == set(botocore.session.get_session().get_available_regions("eks"))


def test_every_instance_type_of_the_table_exists_in_ec2():
    assert [name for name in TYPES if name not in INSTANCE_TYPES] == []


def test_architectures_are_those_of_ec2():
    wrong = [
        name
        for name in TYPES
        if family_of(name).architecture not in INSTANCE_TYPES[name]["ProcessorInfo"]["SupportedArchitectures"]
    ]
    assert wrong == []


def test_accelerators_are_those_of_ec2():
    for name in TYPES:
        found = INSTANCE_TYPES[name]
        chips = (
            found.get("GpuInfo", {}).get("Gpus", [])
            + found.get("NeuronInfo", {}).get("NeuronDevices", [])
            + found.get("InferenceAcceleratorInfo", {}).get("Accelerators", [])
        )
        accelerator = family_of(name).accelerator
        if accelerator == NO_ACCELERATOR:
            assert chips == [], f"{name} has an accelerator"
        else:
            assert {(chip["Name"], chip["MemoryInfo"]["SizeInMiB"]) for chip in chips} == {CHIPS[accelerator]}, name


def test_database_families_are_families():
    assert set(DATABASE_FAMILIES) <= set(FAMILIES) | {"m5", "r5"}


@pytest.mark.parametrize("family", ["m7", "M7i", "", "m7i-"])
def test_near_misses_are_no_families(family: str):
    with pytest.raises(ValueError, match="there is no instance family"):
        family_of(f"{family}.large")


def test_retention_periods_are_those_of_the_api():
    """The list stands in the documentation string of the operation, as prose."""
    model: Any = botocore.session.get_session().get_service_model("logs")
    text: str = model.shape_for("PutRetentionPolicyRequest").members["retentionInDays"].documentation
    prose = [int(word) for word in text.replace(",", " ").replace(".", " ").replace("<", " ").split() if word.isdigit()]
    assert set(RETENTION_DAYS) <= set(prose)
    assert list(RETENTION_DAYS) == sorted(RETENTION_DAYS)


def test_endpoints_that_private_nodes_need_are_known():
    assert set(PRIVATE_NODE_SERVICES) <= set(ENDPOINT_SERVICES)

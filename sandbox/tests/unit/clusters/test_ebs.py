"""EC2 requests that follow from a claim and its storage class."""

from typing import Any

import pytest

from mlp_sandbox.clusters.storage.ebs import ClaimError, check_claim, create_request, gibibytes


def claim(size: str = "20Gi", **spec: Any) -> dict[str, Any]:
    base = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"metadata": {"name": "models", "namespace": "serving"}, "spec": base | spec}


def request(parameters: dict[str, str], size: str = "20Gi") -> dict[str, Any]:
    return create_request(claim(size), parameters, name="pvc-1", zone="us-east-1a", cluster="ml")


@pytest.mark.parametrize(
    ("quantity", "size"),
    [("20Gi", 20), ("1500Mi", 2), ("1", 1), ("1e10", 10), ("2T", 1863), ("1.5Gi", 2), ("100m", 1), ("1Ti", 1024)],
)
def test_sizes_are_rounded_up_to_what_ebs_sells(quantity: str, size: int) -> None:
    assert gibibytes(quantity) == size


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(ClaimError, match="'20GB' is no size"):
        gibibytes("20GB")


def test_parameters_count_in_any_case_and_tags_tell_the_claim() -> None:
    found = request(
        {"Type": "io2", "iopsPerGB": "50", "Encrypted": "true", "kmsKeyId": "key", "tagSpecification_1": "team=a"}
    )
    assert (found["VolumeType"], found["Iops"], found["Encrypted"], found["KmsKeyId"]) == ("io2", 1000, True, "key")
    tags = {each["Key"]: each["Value"] for each in found["TagSpecifications"][0]["Tags"]}
    assert tags["team"] == "a"
    assert tags["kubernetes.io/created-for/pvc/namespace"] == "serving"
    assert tags["CSIVolumeName"] == "pvc-1"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tpye": "gp3"}, "invalid parameter key tpye"),
        ({"type": "gp9"}, "'gp9' is no EBS volume type"),
        ({"iops": "many"}, "iops 'many' is no number"),
        ({"encrypted": "yes"}, "neither"),
        ({"kmsKeyId": "key"}, "needs encrypted"),
        ({"fsType": "zfs"}, "'zfs' is no file system"),
        ({"tagSpecification_1": "team"}, "is no tag"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ClaimError, match=message):
        request(parameters)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"accessModes": ["ReadWriteMany"]}, "ReadWriteMany is not supported"),
        ({"volumeMode": "Block"}, "Block is not available"),
        ({"dataSource": {"kind": "VolumeSnapshot", "name": "x"}}, "from VolumeSnapshot is not available"),
    ],
)
def test_a_claim_for_more_than_a_folder_is_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaimError, match=message):
        check_claim(claim(**spec))

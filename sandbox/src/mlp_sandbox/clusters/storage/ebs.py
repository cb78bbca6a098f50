"""EBS volumes for claims: the EC2 request that follows from a storage class and a claim, and the EC2 calls.

https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md and .../docs/tagging.md
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from mlp_sandbox.environment import ACCESS_KEY

PROVISIONER = "ebs.csi.aws.com"
GIB = 1024**3
Ec2Error = (BotoCoreError, ClientError)

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_SUFFIXES = {"": Decimal(1), "m": Decimal("0.001"), "Ki": Decimal(1024), "k": Decimal(1000)} | {
    letter + i: Decimal(base**power)
    for i, base in (("", 1000), ("i", 1024))
    for power, letter in enumerate("MGTPE", start=2)
}
_TYPES = ("gp2", "gp3", "io1", "io2", "sc1", "st1", "standard")
_NUMBERS = {"iops": "Iops", "throughput": "Throughput"}
_FILE_SYSTEMS = ("ext2", "ext3", "ext4", "xfs", "ntfs")
# These parameters configure the file system or the attachment; there is neither here.
_WITHOUT_EFFECT = (
    *("allowautoiopspergbincrease", "blockexpress", "blocksize", "inodesize", "bytesperinode", "numberofinodes"),
    *("ext4bigalloc", "ext4clustersize", "csi.storage.k8s.io/fstype"),
)


class ClaimError(Exception):
    """Error for a claim that cannot have a volume. Its message gives the reason, for the claim's event."""


def gibibytes(quantity: str) -> int:
    """Convert a Kubernetes quantity to GiB, rounded up, because EBS sizes are whole GiB. Raises ClaimError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:([kMGTPE]i?|Ki|m)|[eE](\d+))?", quantity)
    if match is None:
        raise ClaimError(f"{quantity!r} is no size; write one such as 20Gi")
    number, suffix, exponent = match.groups()
    amount = Decimal(number) * (10 ** int(exponent) if exponent else _SUFFIXES[suffix or ""])
    return max(1, math.ceil(amount / GIB))


def check_claim(claim: Mapping[str, Any]) -> None:
    """Check a claim. Raises ClaimError for properties that the driver rejects or that the sandbox does not support."""
    spec = claim["spec"]
    modes: list[str] = spec.get("accessModes") or []
    if wrong := [mode for mode in modes if mode not in ("ReadWriteOnce", "ReadWriteOncePod")]:
        raise ClaimError(f"volume capability {wrong[0]} is not supported by {PROVISIONER}; use ReadWriteOnce")
    if spec.get("volumeMode") == "Block":
        raise ClaimError("volumeMode Block is not available in the sandbox, whose volumes are folders; use Filesystem")
    if source := spec.get("dataSource") or spec.get("dataSourceRef"):
        raise ClaimError(f"a volume from {source.get('kind')} is not available in the sandbox; create an empty one")


def create_request(
    claim: Mapping[str, Any], parameters: Mapping[str, str], *, name: str, zone: str, cluster: str
) -> dict[str, Any]:
    """Return the arguments of ec2:CreateVolume.

    Raises ClaimError that names the invalid parameter of the storage class.
    """
    size = gibibytes(claim["spec"]["resources"]["requests"]["storage"])
    request: dict[str, Any] = {"AvailabilityZone": zone, "Size": size, "VolumeType": "gp3"}
    metadata = claim["metadata"]
    tags = {
        "CSIVolumeName": name,
        "ebs.csi.aws.com/cluster": "true",
        f"kubernetes.io/cluster/{cluster}": "owned",
        "Name": f"{cluster}-dynamic-{name}",
        "kubernetes.io/created-for/pvc/name": metadata["name"],
        "kubernetes.io/created-for/pvc/namespace": metadata["namespace"],
        "kubernetes.io/created-for/pv/name": name,
    }
    for key, value in parameters.items():
        low = key.lower()
        if low == "type":
            if value.lower() not in _TYPES:
                raise ClaimError(f"parameter type {value!r} is no EBS volume type; choose from {', '.join(_TYPES)}")
            request["VolumeType"] = value.lower()
        elif low in _NUMBERS or low == "iopspergb":
            number = _number(key, value)
            request[_NUMBERS.get(low, "Iops")] = number * size if low == "iopspergb" else number
        elif low == "encrypted":
            request["Encrypted"] = _switch(key, value)
        elif low == "kmskeyid":
            request["KmsKeyId"] = value
        elif low == "fstype":
            if value not in _FILE_SYSTEMS:
                raise ClaimError(f"parameter {key} {value!r} is no file system; choose from {', '.join(_FILE_SYSTEMS)}")
        elif low.startswith("tagspecification"):
            tag, equals, text = value.partition("=")
            if not equals:
                raise ClaimError(f"parameter {key} {value!r} is no tag; write <key>=<value>")
            tags[tag] = text
        elif low not in _WITHOUT_EFFECT:
            raise ClaimError(f"invalid parameter key {key} for CreateVolume; see the driver's list of parameters")
    if "KmsKeyId" in request and not request.get("Encrypted"):
        raise ClaimError('parameter kmsKeyId needs encrypted: "true"')
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    request["TagSpecifications"] = [{"ResourceType": "volume", "Tags": listed}]
    return request


class Ebs:
    """EC2 calls for volumes.

    The boto3 client is created at the first call, because most clusters have no volume. Raises Ec2Error.
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self._make: Callable[[], Any] = lambda: boto3.client(
            "ec2",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=ACCESS_KEY,
        )
        self._made: Any = None

    @property
    def _client(self) -> Any:
        if self._made is None:
            self._made = self._make()
        return self._made

    def ensure(self, name: str, request: Mapping[str, Any]) -> str:
        """Return the id of the volume of that name, and create the volume if there is none."""
        found = self._client.describe_volumes(Filters=[{"Name": "tag:CSIVolumeName", "Values": [name]}])["Volumes"]
        return found[0]["VolumeId"] if found else self._client.create_volume(**request)["VolumeId"]

    def grow(self, volume_id: str, size: int) -> None:
        self._client.modify_volume(VolumeId=volume_id, Size=size)

    def delete(self, volume_id: str) -> None:
        """Delete a volume. A volume that is already gone is no error."""
        try:
            self.attach(volume_id, None)
            self._client.delete_volume(VolumeId=volume_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidVolume.NotFound":
                raise

    def attach(self, volume_id: str, instance_id: str | None) -> None:
        """Attach a volume to that instance only; None detaches it."""
        [volume] = self._client.describe_volumes(VolumeIds=[volume_id])["Volumes"]
        attached = {each["InstanceId"]: each["Device"] for each in volume.get("Attachments") or []}
        for other, device in attached.items():
            if other != instance_id:
                # The instance and its attachment may already be gone.
                with contextlib.suppress(ClientError):
                    self._client.detach_volume(VolumeId=volume_id, InstanceId=other, Device=device)
        if instance_id is not None and instance_id not in attached:
            self._client.attach_volume(
                VolumeId=volume_id, InstanceId=instance_id, Device=self._free_device(instance_id)
            )

    def _free_device(self, instance_id: str) -> str:
        [reservation] = self._client.describe_instances(InstanceIds=[instance_id])["Reservations"]
        mappings = reservation["Instances"][0].get("BlockDeviceMappings") or []
        taken = {each["DeviceName"] for each in mappings}
        names = (f"/dev/xvd{first}{second}" for first in "abcd" for second in "abcdefghijklmnopqrstuvwxyz")
        return next(name for name in names if name not in taken)


def _number(key: str, value: str) -> int:
    if not value.isdecimal():
        raise ClaimError(f"parameter {key} {value!r} is no number")
    return int(value)


def _switch(key: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ClaimError(f'parameter {key} {value!r} is neither "true" nor "false"')
    return value.lower() == "true"

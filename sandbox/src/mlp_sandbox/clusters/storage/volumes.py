"""Replacement of the EBS CSI driver: claims get EC2 volumes of the emulated account, and folders that hold their data.

A folder does not belong to a node: like an EBS volume, it is available on every node of its zone and outlives nodes. It
has no size limit. The account shows the volume as attached to the instance of the node where a pod uses the claim.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlp_sandbox.clusters.control_plane.api import Api, ApiError
from mlp_sandbox.clusters.storage.ebs import (
    GIB,
    PROVISIONER,
    ClaimError,
    Ebs,
    Ec2Error,
    check_claim,
    create_request,
    gibibytes,
)

ADDON = "aws-ebs-csi-driver"
VOLUME_ID = "mlp.sandbox/volume-id"
"""Annotation of a PersistentVolume: the id of its EC2 volume."""

ZONE = "topology.kubernetes.io/zone"
_FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_WANTED_FROM = ("volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner")
_SELECTED_NODE = "volume.kubernetes.io/selected-node"
_DRIVER = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "CSIDriver",
    "metadata": {"name": PROVISIONER},
    "spec": {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "ReadWriteOnceWithFSType"},
}
_VOLUMES = "/api/v1/persistentvolumes"
_log = logging.getLogger(__name__)
Json = Mapping[str, Any]


class Volumes:
    """Reconciler of persistent volumes. `tick` does the pending work.

    Raises ApiError when the API server does not answer. Problems of a claim become events of the claim.
    """

    def __init__(self, api: Api, ebs: Ebs, cluster: str, folder: Path) -> None:
        self._api = api
        self._ebs = ebs
        self._cluster = cluster
        self._folder = folder
        self._told: dict[str, str] = {}
        self._attached: dict[str, str | None] = {}

    def tick(self, *, installed: bool) -> None:
        """Reconcile claims and volumes.

        Args:
            installed: True if the add-on is installed. Without it, claims and volumes stay unchanged, as on EKS.
        """
        if not installed:
            self._api.delete(f"/apis/storage.k8s.io/v1/csidrivers/{PROVISIONER}")
            return
        if self._api.find(f"/apis/storage.k8s.io/v1/csidrivers/{PROVISIONER}") is None:
            self._api.apply(_DRIVER)
        claims = self._api.list("/api/v1/persistentvolumeclaims")
        volumes = {each["metadata"]["name"]: each for each in self._api.list(_VOLUMES) if _ours(each)}
        for claim in claims:
            name = f"pvc-{claim['metadata']['uid']}"
            try:
                if name not in volumes and _waits_for_us(claim):
                    self._provision(claim, name)
                elif volume := volumes.get(claim["spec"].get("volumeName", "")):
                    self._grow(claim, volume)
            except (ClaimError, *Ec2Error) as error:
                self._tell(claim, "Warning", "ProvisioningFailed", f"failed to provision volume: {error}")
            except ApiError as error:
                if error.status == 0:
                    raise
                self._tell(claim, "Warning", "ProvisioningFailed", f"failed to provision volume: {error}")
        for volume in volumes.values():
            try:
                self._delete_if_due(volume)
            except Ec2Error as error:
                _log.warning("volume %s is not deleted: %s", volume["metadata"]["name"], error)
        self._show_attachments(list(volumes.values()))

    def _provision(self, claim: Json, name: str) -> None:
        storage_class = self._api.get(f"/apis/storage.k8s.io/v1/storageclasses/{claim['spec']['storageClassName']}")
        zone = self._zone(claim, storage_class)
        if zone is None:
            return
        check_claim(claim)
        parameters: Mapping[str, str] = storage_class.get("parameters") or {}
        request = create_request(claim, parameters, name=name, zone=zone, cluster=self._cluster)
        volume_id = self._ebs.ensure(name, request)
        place = self._folder / volume_id
        place.mkdir(parents=True, exist_ok=True)
        metadata = claim["metadata"]
        manifest: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": name,
                "annotations": {_PROVISIONED_BY: PROVISIONER, VOLUME_ID: volume_id},
                "labels": {ZONE: zone},
                "finalizers": [_FINALIZER],
            },
            "spec": {
                "capacity": {"storage": f"{request['Size']}Gi"},
                "accessModes": claim["spec"]["accessModes"],
                "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
                "storageClassName": storage_class["metadata"]["name"],
                "mountOptions": [],  # these apply to a file system, and this is a folder
                "local": {"path": str(place)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [_in_zone(zone)]}]}},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    **{key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")},
                },
            },
        }
        self._api.create(_VOLUMES, manifest)
        self._tell(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name} ({volume_id})")

    def _zone(self, claim: Json, storage_class: Json) -> str | None:
        """Return the zone for a claim's volume, or None if there is none yet.

        The zone is that of the selected node. For immediate binding it is the first zone that has a node and that the
        storage class allows.
        """
        nodes = {each["metadata"]["name"]: each["metadata"]["labels"] for each in self._api.list("/api/v1/nodes")}
        chosen = (claim["metadata"].get("annotations") or {}).get(_SELECTED_NODE)
        if storage_class.get("volumeBindingMode") == "WaitForFirstConsumer":
            return nodes.get(chosen or "", {}).get(ZONE)
        allowed: set[str] = set()
        for term in storage_class.get("allowedTopologies") or []:
            for each in term.get("matchLabelExpressions") or []:
                if each["key"] in (ZONE, "topology.ebs.csi.aws.com/zone"):
                    allowed.update(each["values"])
        zones = sorted({labels[ZONE] for labels in nodes.values() if ZONE in labels})
        return next((zone for zone in zones if not allowed or zone in allowed), None)

    def _grow(self, claim: Json, volume: Json) -> None:
        wanted = gibibytes(claim["spec"]["resources"]["requests"]["storage"])
        has = gibibytes(volume["spec"]["capacity"]["storage"])
        shown = (claim.get("status") or {}).get("capacity") or {}
        if claim["status"].get("phase") != "Bound" or (wanted <= has and gibibytes(shown.get("storage", "1")) >= has):
            return
        metadata = claim["metadata"]
        size = f"{max(wanted, has)}Gi"
        if wanted > has:
            self._ebs.grow(volume["metadata"]["annotations"][VOLUME_ID], wanted)
            self._api.merge(f"{_VOLUMES}/{volume['metadata']['name']}", {"spec": {"capacity": {"storage": size}}})
        path = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{metadata['name']}/status"
        self._api.merge(path, {"status": {"capacity": {"storage": size}, "conditions": []}})
        self._tell(claim, "Normal", "FileSystemResizeSuccessful", f"volume is {size} ({wanted * GIB} bytes) now")

    def _delete_if_due(self, volume: Json) -> None:
        """Delete a volume whose claim is gone. With reclaim policy Retain, the EC2 volume and the data stay."""
        metadata = volume["metadata"]
        deletes = volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
        bound = volume.get("status", {}).get("phase") == "Bound"
        leaving = "deletionTimestamp" in metadata
        if bound or not (leaving or (deletes and volume["status"].get("phase") in ("Released", "Failed"))):
            return
        if deletes:
            volume_id: str = metadata["annotations"][VOLUME_ID]
            self._ebs.delete(volume_id)
            shutil.rmtree(self._folder / volume_id, ignore_errors=True)
        path = f"{_VOLUMES}/{metadata['name']}"
        kept = [each for each in metadata.get("finalizers") or [] if each != _FINALIZER]
        try:
            self._api.merge(path, {"metadata": {"finalizers": kept}})
        except ApiError as error:
            if error.status != 404:
                raise
        self._api.delete(path)

    def _show_attachments(self, volumes: list[dict[str, Any]]) -> None:
        """Show each volume in the account as attached to the instance of the node where a pod uses it."""
        if not volumes:
            return
        instances = {
            each["metadata"]["name"]: str(each["spec"].get("providerID", "")).rpartition("/")[2]
            for each in self._api.list("/api/v1/nodes")
        }
        users: dict[tuple[str, str], str] = {}
        for pod in self._api.list("/api/v1/pods"):
            node = pod["spec"].get("nodeName")
            if node and pod["status"].get("phase") not in ("Succeeded", "Failed"):
                for each in pod["spec"].get("volumes") or []:
                    if name := (each.get("persistentVolumeClaim") or {}).get("claimName"):
                        users[pod["metadata"]["namespace"], name] = node
        for volume in volumes:
            claim = volume["spec"].get("claimRef") or {}
            node = users.get((claim.get("namespace", ""), claim.get("name", "")))
            instance = instances.get(node) if node else None
            volume_id = volume["metadata"]["annotations"][VOLUME_ID]
            if self._attached.get(volume_id, "") == instance or "deletionTimestamp" in volume["metadata"]:
                continue
            try:
                self._ebs.attach(volume_id, instance)
                self._attached[volume_id] = instance
            except Ec2Error as error:
                _log.warning("volume %s is not shown as attached to %s: %s", volume_id, instance, error)

    def _tell(self, claim: Json, kind: str, reason: str, message: str) -> None:
        """Create an event for the claim, unless it repeats the previous message."""
        metadata = claim["metadata"]
        if self._told.get(metadata["uid"]) == message:
            return
        self._told[metadata["uid"]] = message
        now = datetime.now(UTC)
        about = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")}
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{now.timestamp():.6f}", "namespace": metadata["namespace"]},
            "involvedObject": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", **about},
            **{"reason": reason, "message": message[:1024], "type": kind, "count": 1},
            "source": {"component": PROVISIONER},
            "reportingComponent": PROVISIONER,
            "firstTimestamp": (stamp := now.strftime("%Y-%m-%dT%H:%M:%SZ")),
            "lastTimestamp": stamp,
        }
        self._api.create(f"/api/v1/namespaces/{metadata['namespace']}/events", body)


def _ours(volume: Json) -> bool:
    annotations: Mapping[str, str] = volume["metadata"].get("annotations") or {}
    return annotations.get(_PROVISIONED_BY) == PROVISIONER and VOLUME_ID in annotations


def _waits_for_us(claim: Json) -> bool:
    annotations: Mapping[str, str] = claim["metadata"].get("annotations") or {}
    pending = (claim.get("status") or {}).get("phase") == "Pending" and not claim["spec"].get("volumeName")
    ours = any(annotations.get(key) == PROVISIONER for key in _WANTED_FROM)
    return pending and ours and "deletionTimestamp" not in claim["metadata"]


def _in_zone(zone: str) -> dict[str, Any]:
    return {"key": ZONE, "operator": "In", "values": [zone]}

"""Claims of EBS storage classes: volumes of the emulated account, data that outlives pods and nodes, clear errors."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
import pytest
from moto.server import ThreadedMotoServer

from mlp_sandbox.clusters.storage.ebs import PROVISIONER, Ebs
from mlp_sandbox.clusters.storage.volumes import VOLUME_ID, Volumes
from mlp_sandbox.testing.box import free_port
from mlp_sandbox.toolchain.node_programs import missing_packages, real_node_problems
from sandbox.tests.live.clusters.real_cluster import RealCluster, real_cluster, wait_for

logging.getLogger("werkzeug").setLevel(logging.ERROR)
pytestmark = [
    pytest.mark.skipif(bool(real_node_problems() or missing_packages()), reason="no real nodes on this machine"),
    pytest.mark.timeout(600),
]
Found = TypeVar("Found")
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="module")
def ec2(endpoint: str) -> Any:
    return boto3.client(
        "ec2", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


@pytest.fixture(scope="module")
def instances(ec2: Any) -> list[str]:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    found = ec2.run_instances(ImageId=image, InstanceType="m6i.large", MinCount=2, MaxCount=2)["Instances"]
    return [each["InstanceId"] for each in found]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, instances: list[str]) -> Iterator[RealCluster]:
    with real_cluster(tmp_path_factory.mktemp("volumes")) as found:
        for number, instance in enumerate(instances, start=1):
            found.node(found.spec(number, provider_id=f"aws:///us-east-1a/{instance}"))
        yield found


@pytest.fixture(scope="module")
def volumes(cluster: RealCluster, endpoint: str) -> Volumes:
    return Volumes(cluster.api, Ebs(endpoint, "us-east-1"), "data", cluster.folder.root / "volumes")


def ticking(volumes: Volumes, what: str, check: Callable[[], Found | None], *, installed: bool = True) -> Found:
    def tick_and_check() -> Found | None:
        volumes.tick(installed=installed)
        return check()

    return wait_for(what, tick_and_check, 90)


def storage_class(cluster: RealCluster, name: str, parameters: dict[str, str], **changes: Any) -> None:
    manifest = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": PROVISIONER,
        "parameters": parameters,
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
        **changes,
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))


def claim(cluster: RealCluster, name: str, class_name: str, size: str = "1500Mi", **changes: Any) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": class_name}
    spec |= {"resources": {"requests": {"storage": size}}, **changes}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}
    cluster.api.create(CLAIMS, body)


def phase_of(cluster: RealCluster, name: str) -> str:
    return str(cluster.api.get(f"{CLAIMS}/{name}")["status"]["phase"])


def run_with(cluster: RealCluster, pod: str, claim_name: str, script: str, node: str | None = None) -> None:
    cluster.run(
        pod,
        script,
        node=node,
        volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}],
        container={"volumeMounts": [{"name": "data", "mountPath": "/data"}]},
        securityContext={"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 2000},
    )


def remove_pod(cluster: RealCluster, name: str) -> None:
    path = f"/api/v1/namespaces/default/pods/{name}"
    cluster.api.delete(path)
    wait_for(f"{name} is gone", lambda: cluster.api.find(path) is None)


def events(cluster: RealCluster, name: str) -> str:
    found = cluster.api.list("/api/v1/namespaces/default/events")
    return "\n".join(each["message"] for each in found if each["involvedObject"]["name"] == name)


def test_data_outlives_the_pod_and_moves_to_another_node_and_goes_with_the_claim(
    cluster: RealCluster, volumes: Volumes, ec2: Any, instances: list[str]
) -> None:
    first, second = list(cluster.nodes)
    storage_class(cluster, "gp3", {"type": "gp3", "encrypted": "true", "iops": "4000"})
    claim(cluster, "models", "gp3")
    volumes.tick(installed=True)
    assert phase_of(cluster, "models") == "Pending", "nothing before a pod needs it"

    run_with(cluster, "writer", "models", "open('/data/a', 'w').write('kept'); import time; time.sleep(600)", first)
    ticking(volumes, "writer runs", lambda: cluster.phase("writer", "Running"))
    [volume] = ec2.describe_volumes(Filters=[{"Name": "tag:kubernetes.io/created-for/pvc/name", "Values": ["models"]}])[
        "Volumes"
    ]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"], volume["Iops"]) == (2, "gp3", True, 4000)
    assert volume["AvailabilityZone"] == "us-east-1a"

    def attached_to(instance: str) -> bool:
        [found] = ec2.describe_volumes(VolumeIds=[volume["VolumeId"]])["Volumes"]
        return [each["InstanceId"] for each in found["Attachments"]] == [instance]

    ticking(volumes, "the account shows it attached", lambda: attached_to(instances[0]))
    remove_pod(cluster, "writer")

    run_with(cluster, "reader", "models", "print(open('/data/a').read())", second)
    ticking(volumes, "reader ends", lambda: cluster.phase("reader", "Succeeded", "Failed"))
    assert cluster.log_of("reader").strip() == "kept"
    remove_pod(cluster, "reader")

    grown = {"spec": {"resources": {"requests": {"storage": "5Gi"}}}}
    cluster.api.merge(f"{CLAIMS}/models", grown)
    ticking(
        volumes,
        "the claim is larger",
        lambda: cluster.api.get(f"{CLAIMS}/models")["status"]["capacity"]["storage"] == "5Gi",
    )
    assert ec2.describe_volumes(VolumeIds=[volume["VolumeId"]])["Volumes"][0]["Size"] == 5

    cluster.api.delete(f"{CLAIMS}/models")
    ticking(volumes, "its volume is gone", lambda: not cluster.api.list("/api/v1/persistentvolumes"))
    left = ec2.describe_volumes(Filters=[{"Name": "tag-key", "Values": ["CSIVolumeName"]}])["Volumes"]
    assert left == []
    assert list((cluster.folder.root / "volumes").iterdir()) == []


def test_a_retained_volume_keeps_its_data_when_the_claim_goes(cluster: RealCluster, volumes: Volumes, ec2: Any) -> None:
    storage_class(cluster, "kept", {}, reclaimPolicy="Retain", volumeBindingMode="Immediate")
    claim(cluster, "archive", "kept", "1Gi")
    ticking(volumes, "archive is bound", lambda: phase_of(cluster, "archive") == "Bound")
    cluster.api.delete(f"{CLAIMS}/archive")
    [volume] = ticking(
        volumes,
        "it is released",
        lambda: [
            each for each in cluster.api.list("/api/v1/persistentvolumes") if each["status"]["phase"] == "Released"
        ],
    )
    volumes.tick(installed=True)
    cluster.api.delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")
    ticking(volumes, "the object is gone", lambda: not cluster.api.list("/api/v1/persistentvolumes"))
    volume_id = volume["metadata"]["annotations"][VOLUME_ID]
    assert ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"]
    assert (cluster.folder.root / "volumes" / volume_id).is_dir()


@pytest.mark.parametrize(
    ("name", "parameters", "changes", "message"),
    [
        ("typo", {"tpye": "gp3"}, {}, "invalid parameter key tpye"),
        ("kind", {"type": "gp9"}, {}, "'gp9' is no EBS volume type"),
        ("shared", {}, {"accessModes": ["ReadWriteMany"]}, "ReadWriteMany is not supported"),
        ("raw", {}, {"volumeMode": "Block"}, "volumeMode Block is not available"),
        ("keyed", {"kmsKeyId": "alias/data"}, {}, "kmsKeyId needs encrypted"),
    ],
)
def test_a_claim_that_cannot_be_met_is_told_why(
    cluster: RealCluster,
    volumes: Volumes,
    name: str,
    parameters: dict[str, str],
    changes: dict[str, Any],
    message: str,
) -> None:
    storage_class(cluster, name, parameters, volumeBindingMode="Immediate")
    claim(cluster, name, name, **changes)
    ticking(volumes, "the event", lambda: message in events(cluster, name))
    assert phase_of(cluster, name) == "Pending"
    cluster.api.delete(f"{CLAIMS}/{name}")


def test_without_the_add_on_claims_wait(cluster: RealCluster, volumes: Volumes) -> None:
    storage_class(cluster, "waiting", {}, volumeBindingMode="Immediate")
    claim(cluster, "waiting", "waiting")
    ticking(volumes, "the wait is told", lambda: PROVISIONER in events(cluster, "waiting"), installed=False)
    assert phase_of(cluster, "waiting") == "Pending"
    assert cluster.api.list("/apis/storage.k8s.io/v1/csidrivers") == []
    cluster.api.delete(f"{CLAIMS}/waiting")

"""Pods of real nodes pull images from outside the catalogue through the host, or get the reason for the failure."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlp_sandbox.clusters.images import added_images, ensure_images, pull_image, registry_command, remove_image, storage
from mlp_sandbox.clusters.images.reference import Reference, parse_reference
from mlp_sandbox.clusters.images.upstream import UnreachableError
from mlp_sandbox.clusters.nodes.real.registry_redirect import NOT_HERE
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.testing.box import free_port
from mlp_sandbox.toolchain.node_programs import missing_packages, real_node_problems
from sandbox.tests.live.clusters.real_cluster import RealCluster, real_cluster, wait_for

pytestmark = [
    pytest.mark.skipif(bool(real_node_problems() or missing_packages()), reason="no real nodes on this machine"),
    pytest.mark.timeout(900),
]


def quiet(line: str) -> None:
    del line


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass
class Upstream:
    """A third-party registry on this machine with the image mlp-tests/app under the tags 1 and 2."""

    port: int
    process: subprocess.Popen[bytes]

    def image(self, tag: str) -> str:
        return f"localhost:{self.port}/mlp-tests/app:{tag}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    ensure_images(quiet, ["pause"])
    pause = parse_reference("registry.k8s.io/pause:3.10")
    assert storage.export(storage.registry_folder(), pause, tmp_path / "layout")
    storage.publish(
        tmp_path / "theirs",
        tmp_path / "layout",
        [Reference("mlp-tests", "app", "1"), Reference("mlp-tests", "app", "2")],
    )
    found = Upstream(port := free_port(), start_registry(tmp_path, port))
    yield found
    found.stop()
    for image in added_images():
        if image.source == f"localhost:{port}":
            remove_image(image.reference, quiet)


def start_registry(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = registry_command(f"127.0.0.1:{port}", folder, folder / "theirs")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("the registry", lambda: listens(port))
    return process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    with real_cluster(tmp_path_factory.mktemp("pulls")) as found:
        found.node(found.spec(1))
        yield found


def start(cluster: RealCluster, name: str, image: str) -> None:
    """Start a pod that always pulls: an image that the node has cached must not count."""
    cluster.run(name, "", container={"image": image, "command": None, "imagePullPolicy": "Always"})


def failure(cluster: RealCluster, pod: str) -> str | None:
    for event in cluster.api.list("/api/v1/namespaces/default/events"):
        if event["involvedObject"]["name"] == pod and "Failed to pull image" in event["message"]:
            return str(event["message"])
    return None


def test_a_pod_runs_an_image_that_the_host_pulls_and_the_next_one_has_it_without_its_registry(
    cluster: RealCluster, upstream: Upstream
) -> None:
    image = upstream.image("1")
    start(cluster, "first", image)
    wait_for("the pod runs", lambda: cluster.phase("first", "Running"), 90)
    assert [(each.how, each.source) for each in added_images() if each.reference == image] == [
        ("pulled", f"localhost:{upstream.port}")
    ]
    upstream.stop()
    start(cluster, "second", image)
    wait_for("the next pod runs", lambda: cluster.phase("second", "Running"), 90)


def test_what_the_registry_lacks_is_told_in_its_own_words(cluster: RealCluster, upstream: Upstream) -> None:
    start(cluster, "lacking", upstream.image("none"))
    message = wait_for("the event", lambda: failure(cluster, "lacking"), 60)
    assert f"{NOT_HERE}, nor to be pulled: localhost:{upstream.port} does not give {upstream.image('none')}" in message
    assert "manifest unknown" in message


@pytest.mark.parametrize("host", ["registry.mlp-tests.invalid", "127.0.0.1:9"])
def test_a_registry_that_cannot_be_reached_is_told_within_seconds(cluster: RealCluster, host: str) -> None:
    pod = f"offline-{host.split(':')[0].replace('.', '-')}"
    begun = time.monotonic()
    start(cluster, pod, f"{host}/mlp-tests/app:1")
    message = wait_for("the event", lambda: failure(cluster, pod), 60)
    assert time.monotonic() - begun < 30
    assert f"{NOT_HERE}, nor to be pulled: {host} cannot be reached from this machine: " in message


def test_a_reference_by_digest_is_refused_with_what_to_write_instead(cluster: RealCluster) -> None:
    start(cluster, "digest", f"ghcr.io/mlp-tests/app@sha256:{'0' * 64}")
    message = wait_for("the event", lambda: failure(cluster, "digest"), 60)
    assert "has a digest; name a tag" in message


def test_several_that_want_an_image_pull_it_once(upstream: Upstream) -> None:
    said: list[str] = []
    pulls = [
        threading.Thread(target=pull_image, args=(upstream.image("2"), said.append), kwargs={"anew": False})
        for _ in range(3)
    ]
    for pull in pulls:
        pull.start()
    for pull in pulls:
        pull.join(120)
    assert said.count(f"Pulling {upstream.image('2')}") == 1
    assert storage.find(storage.registry_folder(), parse_reference(upstream.image("2")))


def test_a_pulled_image_goes_away_again_and_leaves_the_others(upstream: Upstream) -> None:
    one, two = upstream.image("1"), upstream.image("2")
    assert pull_image(one, quiet) == pull_image(two, quiet)
    remove_image(one, quiet)
    assert storage.find(storage.registry_folder(), parse_reference(one)) is None
    assert storage.find(storage.registry_folder(), parse_reference(two))
    with pytest.raises(SandboxError, match="not among those that were added"):
        remove_image(one, quiet)


def test_what_cannot_be_pulled_leaves_nothing(upstream: Upstream) -> None:
    before = added_images()
    with pytest.raises(SandboxError, match=r"does not give .*: .*manifest unknown"):
        pull_image(upstream.image("none"), quiet)
    upstream.stop()
    with pytest.raises(UnreachableError, match=r"cannot be reached from this machine: .*Connection refused"):
        pull_image(upstream.image("1"), quiet)
    assert added_images() == before

"""Digests from a real registry: Debian's, with an image written into its folder."""

import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlp.images.registry import read_digest
from mlp_sandbox.clusters.images import registry_command, storage
from mlp_sandbox.clusters.images.reference import Reference
from mlp_sandbox.clusters.images.registry import PROGRAM
from mlp_sandbox.testing.box import free_port
from sandbox.tests.live.clusters.real_cluster import wait_for

pytestmark = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"no {PROGRAM} on this machine")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Yield the registry's address, and the digest of the image team/app:1 that it serves."""
    _write_layout(tmp_path / "layout")
    digest = storage.publish(tmp_path / "theirs", tmp_path / "layout", [Reference("team", "app", "1")])
    port = free_port()
    command = registry_command(f"127.0.0.1:{port}", tmp_path, tmp_path / "theirs")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for("the registry", lambda: _listens(port))
        yield f"127.0.0.1:{port}", digest
        process.terminate()


def test_a_real_registry_is_understood(registry: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    address, digest = registry
    assert read_digest(f"{address}/team/app:1") == digest


def _write_layout(folder: Path) -> None:
    """Write an image layout that is complete enough for a registry.

    https://github.com/opencontainers/image-spec/blob/main/manifest.md
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        media_type = f"application/vnd.oci.image.{kind}"
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put(b"{}", "config.v1+json"),
        "layers": [put(b"layer", "layer.v1.tar")],
    }
    entry = put(json.dumps(manifest).encode(), "manifest.v1+json")
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True

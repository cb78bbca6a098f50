"""Real images: built with Buildah, served by the registry, pulled over HTTP."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlp_sandbox.clusters.images import build, ensure_images, find_image, registry_command, storage
from mlp_sandbox.clusters.images.catalogue import CATALOGUE
from mlp_sandbox.clusters.images.reference import parse_reference
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.testing.box import free_port
from mlp_sandbox.toolchain import ensure_kubernetes
from mlp_sandbox.toolchain.cache import cache_folder
from mlp_sandbox.toolchain.kubernetes import STANDINS
from mlp_sandbox.toolchain.node_programs import real_node_problems

pytestmark = [
    pytest.mark.skipif(bool(real_node_problems()), reason=f"images are not made here: {real_node_problems()}"),
    pytest.mark.timeout(1800),
]
OCI = "application/vnd.oci.image.manifest.v1+json"


def quiet(line: str) -> None:
    del line


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache that contains only the programs of the stand-ins."""
    ensure_kubernetes(quiet)
    folder = STANDINS.find()
    assert folder is not None
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / folder.name).symlink_to(folder)
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build and serve every image of the catalogue; yields the registry's address."""
    ensure_images(quiet)
    address = f"127.0.0.1:{free_port()}"
    command = registry_command(address, tmp_path_factory.mktemp("registry"))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while True:
            try:
                get(address, "")
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield address
        process.terminate()


def get(address: str, path: str, method: str = "GET") -> bytes:
    request = urllib.request.Request(f"http://{address}/v2/{path}", headers={"Accept": OCI}, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return answer.read()


def pull(address: str, reference: str) -> tuple[dict[str, Any], list[tarfile.TarFile]]:
    """Return an image's configuration and its layers, each verified by its digest."""
    found = parse_reference(reference)

    def blob(digest: str) -> bytes:
        content = get(address, f"{found.repository}/blobs/{digest}")
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
        return content

    manifest = json.loads(get(address, f"{found.repository}/manifests/{found.tag}"))
    layers = [tarfile.open(fileobj=BytesIO(blob(layer["digest"]))) for layer in manifest["layers"]]  # noqa: SIM115
    return json.loads(blob(manifest["config"]["digest"])), layers


@pytest.mark.parametrize("reference", [reference for image in CATALOGUE for reference in image.references])
def test_every_image_of_the_catalogue_can_be_pulled(served: str, reference: str) -> None:
    configuration, layers = pull(served, reference)
    assert configuration["os"] == "linux"
    assert len(configuration["rootfs"]["diff_ids"]) == len(layers) > 0


def test_the_registry_takes_nothing(served: str) -> None:
    with pytest.raises(OSError, match="405"):
        get(served, "my-team/model/blobs/uploads/", "POST")


def test_coredns_may_bind_its_port_without_being_root(served: str) -> None:
    configuration, [layer] = pull(served, "registry.k8s.io/coredns/coredns:v1.13.2")
    assert configuration["config"]["User"] == "65532:65532"
    [program] = layer.getmembers()
    assert program.name == "coredns"
    assert "SCHILY.xattr.security.capability" in program.pax_headers


def test_python_is_where_the_official_image_has_it(served: str) -> None:
    configuration, [layer] = pull(served, "docker.io/library/python:3.11-slim")
    assert configuration["config"]["Cmd"] == ["python3"]
    assert "PATH=/usr/local/bin:" in configuration["config"]["Env"][0]
    names = {member.name.removeprefix("./") for member in layer.getmembers()}
    assert {"usr/local/bin/python", "usr/local/bin/pip", "usr/local/lib/python3.11/site-packages/pip"} <= names
    assert not [name for name in names if name.startswith(("dev/", "usr/share/doc/", "var/lib/apt/lists/"))]
    assert "usr/lib/python3.11/EXTERNALLY-MANAGED" not in names


DOCKERFILE = """FROM python:3.11-slim AS builder
COPY requirements.txt .
RUN pip install --no-cache-dir --prefix=/install -r requirements.txt
FROM public.ecr.aws/docker/library/python:3.11-slim
SHELL ["/bin/bash", "-c"]
RUN useradd --create-home app
COPY --from=builder /install /usr/local
USER app
RUN [[ "$(python -c 'import six; print(six.__version__)')" == 1.17.0 ]]
ENTRYPOINT ["python", "-m", "six"]
"""


@pytest.fixture
def forgotten() -> Iterator[None]:
    yield
    storage.forget(storage.registry_folder(), parse_reference("mlp-tests/model:1"))
    storage.prune(storage.registry_folder())


@pytest.mark.usefixtures("forgotten")
def test_an_unmodified_dockerfile_becomes_an_image_that_clusters_can_pull(served: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "requirements.txt").write_text("six==1.17.0\n")
    said: list[str] = []
    digest = build.build_dockerfile(tmp_path, "mlp-tests/model:1", said.append)
    assert storage.find(storage.registry_folder(), parse_reference("mlp-tests/model:1")) == digest
    assert any("pip install --no-cache-dir" in line for line in said)
    configuration, layers = pull(served, "mlp-tests/model:1")
    assert configuration["config"]["Entrypoint"] == ["python", "-m", "six"]
    assert configuration["config"]["User"] == "app"
    names = {name for layer in layers[1:] for name in layer.getnames()}
    assert "usr/local/lib/python3.11/site-packages/six.py" in names
    # Nothing of this machine's package sources is in it.
    stubs = [member for layer in layers[1:] for member in layer.getmembers() if member.name == "etc/pip.conf"]
    assert all(member.size == 0 for member in stubs)


def test_a_failing_step_ends_with_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11-slim\nRUN echo the reason >&2; exit 3\n")
    with pytest.raises(SandboxError, match=r"`buildah build` failed with exit code \d+: \n(.*\n)*the reason"):
        build.build_dockerfile(tmp_path, "mlp-tests/fails:1", quiet)
    assert storage.find(storage.registry_folder(), parse_reference("mlp-tests/fails:1")) is None


def test_a_folder_without_a_dockerfile_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=rf"{tmp_path}/Dockerfile is not there; name the folder"):
        build.build_dockerfile(tmp_path, "mlp-tests/none:1", quiet)


def test_an_image_is_made_once(own_cache: Path) -> None:
    said: list[str] = []
    made = ensure_images(said.append, ["pause"])
    assert [line for line in said if "registry.k8s.io/pause:3.10" in line]
    assert ensure_images(pytest.fail, ["pause"]) == made == {"pause": find_image("pause")}
    assert not list(own_cache.glob("*.partial"))


@pytest.mark.parametrize("damage", ["blob", "record", "whole folder", "store"])
def test_a_damaged_image_is_made_anew(own_cache: Path, damage: str) -> None:
    before = ensure_images(quiet, ["pause"])
    match damage:
        case "blob":
            layer = storage.blob(
                storage.registry_folder(), storage.parts(storage.registry_folder(), before["pause"])[-1]
            )
            layer.write_bytes(layer.read_bytes()[:-1])
        case "record":
            (storage.registry_folder() / "images" / "pause.json").write_text("{")
        case "whole folder":
            subprocess.run(["rm", "-r", storage.registry_folder()], check=True)
        case _:
            subprocess.run(["rm", "-r", storage.registry_folder(), own_cache / "buildah"], check=True)
    assert find_image("pause") is None
    assert ensure_images(quiet, ["pause"]) == before, "the same content is the same image"
    assert find_image("pause") == before["pause"]


def test_two_set_ups_at_once_make_it_once(own_cache: Path) -> None:
    said: list[str] = []
    threads = [threading.Thread(target=ensure_images, args=(said.append, ["pause"])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len([line for line in said if line.startswith("Making the image")]) == 1
    assert find_image("pause")


def processes_of(folder: Path) -> list[str]:
    """Return processes that were started with the folder's name or have mounts in it."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            seen = " ".join(process.cmdline()) + Path(f"/proc/{process.pid}/mounts").read_text()
        except (psutil.Error, OSError):
            continue
        if str(folder) in seen:
            found.append(f"{process.pid} {process.name()}")
    return found


def test_a_killed_build_leaves_neither_processes_nor_mounts_and_the_next_one_sweeps_up(
    own_cache: Path, tmp_path: Path
) -> None:
    ensure_images(quiet, ["pause"])
    (tmp_path / "Dockerfile").write_text(
        "FROM registry.k8s.io/pause:3.10\nCOPY Dockerfile /\nRUN ['/pause']\n".replace("'", '"')
    )
    script = f"""
from pathlib import Path
from mlp_sandbox.clusters.images import workspace
from mlp_sandbox.clusters.images.buildah import Buildah
with workspace.work_folder(print) as work:
    print("working", flush=True)
    context = Path({str(tmp_path)!r})
    Buildah().build(context, context / "Dockerfile", ["--pull-never"], lambda line: print(line, flush=True), steps=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(PROJECT)}
    ) as process:
        assert process.stdout is not None
        assert any("STEP" in line or "RUN" in line for line in iter(process.stdout.readline, "") if "RUN" in line)
        process.kill()
    deadline = time.monotonic() + 20
    while processes_of(own_cache):
        assert time.monotonic() < deadline, processes_of(own_cache)
        time.sleep(0.05)
    assert str(own_cache) not in Path("/proc/mounts").read_text()
    assert list(own_cache.glob("image-*.partial"))
    subprocess.run(["rm", "-r", storage.registry_folder()], check=True)
    ensure_images(quiet, ["pause"])
    assert not list(own_cache.glob("image-*.partial"))
    assert cache_folder() == own_cache

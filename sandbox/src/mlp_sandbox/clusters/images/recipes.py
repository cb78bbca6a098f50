"""Recipes of the catalogue's images: a Dockerfile, and the files that it copies."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlp_sandbox.clusters.images import python_base
from mlp_sandbox.clusters.images.pinned_packages import pinned_packages
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT, SOURCES
from mlp_sandbox.toolchain import kubernetes
from mlp_sandbox.toolchain.cache import content_key
from mlp_sandbox.toolchain.gomodule import GoModule

Report = Callable[[str], None]
AUTOSCALER = SOURCES / "mlp_sandbox" / "clusters" / "standins" / "cluster_autoscaler"
# vfs_cap_data of revision 2: effective; permitted CAP_NET_BIND_SERVICE (capability 10). capabilities(7)
BINDS_LOW_PORTS = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Recipe of an image.

    Attributes:
        fill: `fill(context, report)` creates the files that the Dockerfile copies.
        inputs: Data that changes whenever these files change.
        base: The catalogue image that it builds on.
        stamped: True if all files get one fixed time, so that the same content results in the same image.
    """

    dockerfile: str
    fill: Callable[[Path, Report], None]
    inputs: tuple[bytes, ...]
    usually: str
    base: str | None = None
    stamped: bool = False

    @property
    def key(self) -> str:
        below = recipe(self.base).key.encode() if self.base else b""
        return content_key(self.dockerfile.encode(), below, *self.inputs)


def recipe(name: str) -> Recipe:
    return RECIPES[name]()


def _go_program(
    module: Callable[[], GoModule], name: str, place: str, user: str, *, capabilities: bytes = b"", extra: str = ""
) -> Callable[[], Recipe]:
    """Return the recipe of an image that contains only a static program, at the same path as in upstream's image."""

    def make() -> Recipe:
        def fill(context: Path, report: Report) -> None:
            program = context / name
            shutil.copy2(module().ensure(report) / name, program)
            if capabilities:
                os.setxattr(program, "security.capability", capabilities)

        return Recipe(
            dockerfile=f'FROM scratch\nCOPY {name} {place}\n{extra}USER {user}\nENTRYPOINT ["{place}"]\n',
            fill=fill,
            inputs=(module().key().encode(), capabilities),
            usually="2 s",
            stamped=True,
        )

    return make


def _python() -> Recipe:
    inputs = [python_base.SUITE, *python_base.PACKAGES, *python_base.LEFT_OUT, python_base.SLIM]
    return Recipe(
        dockerfile=python_base.DOCKERFILE,
        fill=python_base.make_archive,
        inputs=tuple(part.encode() for part in inputs),
        usually="45 s",
    )


def _cluster_autoscaler() -> Recipe:
    """Return the recipe of the autoscaler.

    Like upstream's, it is started as `./cluster-autoscaler --flags` in the root folder.
    """
    files = sorted(AUTOSCALER.rglob("*.py"))
    if AUTOSCALER / "__main__.py" not in files:
        raise SandboxError(f"{AUTOSCALER} has no __main__.py; restore the folder")
    requirements = pinned_packages((PROJECT / "requirements.txt").read_text(), ["boto3", "kubernetes"])
    start = '#!/bin/sh\nexec /usr/local/bin/python -m cluster_autoscaler "$@"\n'

    def fill(context: Path, report: Report) -> None:
        del report
        (context / "requirements.txt").write_text(requirements)
        (context / "cluster-autoscaler").write_text(start)
        (context / "cluster-autoscaler").chmod(0o755)
        for file in files:
            target = context / "program" / "cluster_autoscaler" / file.relative_to(AUTOSCALER)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)

    return Recipe(
        dockerfile="""FROM docker.io/library/python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/program
COPY requirements.txt /opt/requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes \\
    -r /opt/requirements.txt
COPY program /opt/program
COPY cluster-autoscaler /cluster-autoscaler
WORKDIR /
USER 65532:65532
CMD ["/cluster-autoscaler"]
""",
        fill=fill,
        inputs=(
            start.encode(),
            requirements.encode(),
            *(part for file in files for part in (str(file.relative_to(AUTOSCALER)).encode(), file.read_bytes())),
        ),
        usually="30 s",
        base="python",
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    "pause": _go_program(lambda: kubernetes.STANDINS, "pause", "/pause", "65535:65535"),
    "coredns": _go_program(
        lambda: kubernetes.COREDNS, "coredns", "/coredns", "65532:65532", capabilities=BINDS_LOW_PORTS
    ),
    "metrics-server": _go_program(kubernetes.metrics_server, "metrics-server", "/metrics-server", "65534"),
    # Manifests name the program without a path as the command, so that it must be on PATH.
    "nvidia-device-plugin": _go_program(
        lambda: kubernetes.STANDINS,
        "nvidia-device-plugin",
        "/usr/bin/nvidia-device-plugin",
        "0:0",
        extra="ENV PATH=/usr/bin\n",
    ),
    "python": _python,
    "cluster-autoscaler": _cluster_autoscaler,
}

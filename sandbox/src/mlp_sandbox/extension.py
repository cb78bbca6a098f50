"""Entry points of the sandbox for the platform: an account in place of AWS, and a Kubernetes scheduler."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlp_sandbox.clusters.control_plane.scratch import scratch_control_plane
from mlp_sandbox.clusters.images import added_images, build_dockerfile
from mlp_sandbox.engine.stack_files import usable
from mlp_sandbox.environment import CONFIG_FILE
from mlp_sandbox.instance import find
from mlp_sandbox.toolchain import ensure_kubernetes

Report = Callable[[str], None]


class ImageBuilder:
    """Builder of images for the clusters of all sandboxes, which share one image storage."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._there = frozenset(image.reference for image in added_images())

    def has(self, reference: str) -> bool:
        """Return whether the storage has an image."""
        return reference in self._there

    def build(self, reference: str, dockerfile: Path, context: Path) -> None:
        """Build an image into the storage.

        Raises:
            SandboxError: the image cannot be built.
        """
        build_dockerfile(context, reference, self._report, dockerfile)


class Account:
    """Emulated account of the sandbox that the shell is set to by `mlp sandbox env`."""

    title = "the local account"
    sign_in = 'eval "$(.venv/bin/mlp sandbox env)"'
    start = "`mlp sandbox up`"

    def is_selected(self) -> bool:
        """Return whether the variables of `mlp sandbox env` are set."""
        return bool(os.environ.get("MLP_SANDBOX"))

    def endpoint(self) -> str | None:
        """Return the address of the emulated AWS API."""
        return os.environ.get("AWS_ENDPOINT_URL")

    def engine_variables(self, environment: str, root: Path) -> Mapping[str, str]:
        """Return the variable that names the stack file, or its copy without the KMS key of an account on AWS.

        It is a variable because every command of the engine reads the variable, but some lack the flag.
        """
        return {CONFIG_FILE: str(usable(find(None), environment, root))}

    def image_builder(self, report: Report) -> ImageBuilder:
        """Return the builder of images for the clusters of the sandbox."""
        return ImageBuilder(report)


account = Account()


@contextmanager
def control_plane(folder: Path, report: Report) -> Generator[Path]:
    """Run an API server and a scheduler on loopback ports, and yield the path of an administrator's kubeconfig.

    Args:
        folder: a scratch folder for their files.
        report: called with one line of progress at a time; building Kubernetes for the first time takes minutes.

    Raises:
        SandboxError: Kubernetes cannot be built or does not start.
    """
    with scratch_control_plane(folder, ensure_kubernetes(report), report=report) as plane:
        yield plane.kubeconfig

"""Pull of an image from its own registry by the host, once, into the storage that clusters pull from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from mlp_sandbox.clusters.images import added, storage
from mlp_sandbox.clusters.images.buildah import Buildah, BuildahError
from mlp_sandbox.clusters.images.reference import Reference
from mlp_sandbox.clusters.images.upstream import Reach, is_plain
from mlp_sandbox.clusters.images.workspace import publish, work_folder
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.cache import locked, writable
from mlp_sandbox.toolchain.progress import ticking

LONGEST_SECONDS = 3600.0
_SIDE_BY_SIDE = 4
"""Maximum number of concurrent pulls among all processes of the user. Images share this many lock files."""


def pull_image(text: str, report: Callable[[str], None], *, anew: bool = True, reach: Reach | None = None) -> str:
    """Pull an image and return its digest.

    Args:
        text: Image reference.
        report: Called with progress messages.
        anew: If False, an image that is present is not pulled again, and concurrent callers pull it only once.
        reach: Cache of registries that do not answer.

    Raises:
        UnreachableError: The registry does not answer.
        SandboxError: The registry does not provide the image. The message contains its error.
    """
    reference = added.foreign(text)
    buildah = Buildah()
    (reach or Reach()).check(reference.host)
    with writable(), locked(_lock(reference), report):
        there = None if anew else storage.find(storage.registry_folder(), reference)
        return there or _pull(buildah, reference, report)


def _pull(buildah: Buildah, reference: Reference, report: Callable[[str], None]) -> str:
    report(f"Pulling {reference}")
    options = ["--quiet", "--policy", "always", "--retry", "1"]
    options += ["--tls-verify=false"] if is_plain(reference.host) else []
    with work_folder(report) as work, ticking(report, lambda: f"pulling {reference}"):
        try:
            said = buildah.call("pull", *options, str(reference), seconds=LONGEST_SECONDS)
        except BuildahError as error:
            raise SandboxError(f"{reference.host} does not give {reference}: {error.words}") from error
        # The id is used, because a concurrent pull may give the name to a newer image.
        digest = publish(buildah, said.splitlines()[-1], [reference], work, report)
        added.note(reference, "pulled", reference.host, digest)
        return digest


def _lock(reference: Reference) -> str:
    return f"pull-{hashlib.sha256(str(reference).encode()).digest()[0] % _SIDE_BY_SIDE}"

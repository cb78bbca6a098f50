"""`mlp setup`: find, build or install the tools that no Python package brings.

These are the Pulumi engine, Kubernetes, PostgreSQL and container images.
"""

from __future__ import annotations

import time

from rich.console import Console

from mlp.console import plain_errors
from mlp.machine import debian
from mlp.machine.errors import SetUpError
from mlp_sandbox.clusters.images import CATALOGUE, ensure_images
from mlp_sandbox.databases.postgres.binaries import installed
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain import ensure_kubernetes, ensure_pulumi
from mlp_sandbox.toolchain.node_programs import missing_packages, real_node_problems

SIMULATED_ONLY = (
    "Clusters of the emulated account will have simulated nodes only: no containers run, and no logs or exec"
)
console = Console()


def setup() -> None:
    """Get the tools that no Python package brings.

    The command can be repeated at any time: it leaves alone what is already there.

    The Pulumi engine: an official `pulumi` on PATH is used when its version fits. Otherwise the engine is built once
    from source into MLP_CACHE_DIR (~/.cache/ml-platform; usually 4 to 8 minutes). Kubernetes and its companion
    programs: built there, too (usually 8 to 12 minutes). PostgreSQL, and the packages with which real nodes run
    containers: installed with apt-get on Debian as root; elsewhere the command says what to install. Container images:
    made of all that, as root. Exit codes: 0 done, 1 no Pulumi engine or no Kubernetes, 130 interrupted.
    """
    with plain_errors():
        started = time.monotonic()
        # Steps that fail when packages are missing come first, steps that take minutes come last.
        ensure_postgresql()
        ensure_node_packages()
        pulumi = ensure_pulumi(_report)
        kubernetes = ensure_kubernetes(_report)
        images = ensure_node_images()
        words = [
            f"Pulumi {pulumi.version}, {pulumi.origin}",
            f"Kubernetes {kubernetes.version}, {kubernetes.origins['kube-apiserver']}",
            f"{images} of {len(CATALOGUE)} images" if images else "no images, so simulated nodes only",
        ]
        _report(f"Tools: {'; '.join(words)} ({time.monotonic() - started:.1f} s)")


def ensure_postgresql() -> bool:
    """Install PostgreSQL when it is missing and possible, and return whether it is there in the end.

    It is optional: without it, only databases do not run.
    """
    if installed():
        return True
    problem = "PostgreSQL is not installed: databases of the emulated account will not run."
    if not debian.can_install():
        how = "as root: apt-get install postgresql" if debian.is_debian() else "with your package manager"
        _report(f"{problem} Install it {how}; everything else works without it.")
        return False
    try:
        _report("Installing PostgreSQL, which databases of the emulated account run on")
        debian.install_postgresql(_report)
    except (SetUpError, OSError) as error:
        _report(f"{problem} It could not be installed: {error}")
    return bool(installed())


def ensure_node_packages() -> bool:
    """Install the packages of real nodes when possible, and return whether real nodes can run in the end.

    They are optional: without them, all nodes are simulated.
    """
    packages = missing_packages()
    if packages and debian.can_install():
        try:
            _report("Installing what real nodes run containers with; no service of it is started")
            debian.install_programs(packages, _report)
        except (SetUpError, OSError) as error:
            _report(f"{SIMULATED_ONLY}. The packages could not be installed: {error}")
            return False
    problems = real_node_problems()
    if problems:
        _report(f"{SIMULATED_ONLY} ({'; '.join(problems)}). {_how(missing_packages())}")
    return not problems


def ensure_node_images() -> int:
    """Make the missing images of the catalogue and return how many images are there in the end.

    Without real nodes no image is made, and the result is 0. An image that cannot be made leaves the others usable.
    """
    if real_node_problems():
        return 0
    made = 0
    for image in CATALOGUE:
        try:
            made += len(ensure_images(_report, [image.name]))
        except SandboxError as error:
            _report(f"The image {image.references[0]} could not be made, so pods of it do not start: {error}")
    return made


def _how(packages: list[str]) -> str:
    if not packages:
        return "Start the sandbox as root for real nodes."
    if debian.is_debian():
        return f"For real nodes, as root: apt-get install {' '.join(packages)}; and start the sandbox as root."
    return "For real nodes, install them with your package manager, and start the sandbox as root."


def _report(message: str) -> None:
    console.print(f"==> {message}", highlight=False, markup=False, soft_wrap=True)

"""Prepare the engine for one sandbox: the `pulumi` command, its language host and the provider plugins.

Each sandbox has its own `PULUMI_HOME` with the plugins, so that the user's official plugins are neither used nor
changed.
"""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

from mlp_sandbox.environment import process_environment
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT, SOURCES, Instance

PLUGINS = {
    "aws": ("pulumi-aws", "mlp_sandbox.providers.aws"),
    "kubernetes": ("pulumi-kubernetes", "mlp_sandbox.providers.kubernetes"),
}
"""Package of the engine, to its SDK (whose release number the plugin gets) and the module that serves it."""


def install(instance: Instance, pulumi: Path, kubectl: Path | None = None) -> None:
    """Put the commands and the plugins into the sandbox's folders. The call can be repeated.

    Raises:
        SandboxError: a command of the engine failed; the message has the engine's own words.
    """
    _link(pulumi, instance.bin / "pulumi")
    if kubectl is not None:
        _link(kubectl, instance.bin / "kubectl")
    if not (pulumi.parent / "pulumi-language-python").exists():
        _write_script(instance.bin / "pulumi-language-python", _python_module("mlp_sandbox.engine.language_host"))
    for package, (sdk, module) in PLUGINS.items():
        install_plugin(instance, package, version(sdk), module)


def install_plugin(instance: Instance, package: str, release: str, module: str) -> None:
    """Install a provider plugin as the release of the SDK, because the engine asks for exactly that release."""
    script = _python_module(module)
    installed = instance.pulumi_home / "plugins" / f"resource-{package}-v{release}" / f"pulumi-resource-{package}"
    if installed.is_file() and installed.read_text() == script:
        return
    archive = instance.home / f"{package}-plugin.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        content = script.encode()
        entry = tarfile.TarInfo(installed.name)
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    try:
        pulumi(instance, "plugin", "install", "resource", package, release, "--file", str(archive), "--reinstall")
    finally:
        archive.unlink()


def pulumi(instance: Instance, *arguments: str, project: Path = PROJECT) -> str:
    """Run the engine's command in a project and return its standard output.

    Raises:
        SandboxError: the command failed; the message has its output.
    """
    executable = instance.bin / "pulumi"
    done = subprocess.run(
        [executable, *arguments, "--non-interactive"],
        cwd=project,
        env=process_environment(instance),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise SandboxError(f"`pulumi {' '.join(arguments)}` failed: {said}")
    return done.stdout


def _python_module(module: str) -> str:
    python, sources = shlex.quote(sys.executable), shlex.quote(str(SOURCES))
    return f'#!/bin/sh\nPYTHONPATH={sources} PYTHONSAFEPATH=1 exec {python} -m {module} "$@"\n'


def _write_script(path: Path, content: str) -> None:
    if not path.is_file() or path.read_text() != content:
        path.write_text(content)
        path.chmod(0o755)


def _link(source: Path, target: Path) -> None:
    """Hard-link the engine, or copy it where that is not possible.

    A symbolic link would not work, because the engine looks for the language host beside its real path. An official
    `pulumi` has its language host there, and gets a symbolic link.
    """
    if (source.parent / "pulumi-language-python").exists():
        if not target.is_symlink() or target.resolve() != source.resolve():
            target.unlink(missing_ok=True)
            target.symlink_to(source)
        return
    if target.exists() and not target.is_symlink() and _same_file(source, target):
        return
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _same_file(source: Path, target: Path) -> bool:
    one, two = source.stat(), target.stat()
    return one.st_ino == two.st_ino or (one.st_size, int(one.st_mtime)) == (two.st_size, int(two.st_mtime))

"""Debian's docker-registry, serving what was built: read-only, so that it needs no more than its folder."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

from mlp_sandbox.clusters.images.storage import registry_folder
from mlp_sandbox.errors import SandboxError

PROGRAM = "docker-registry"


def registry_command(address: str, folder: Path, storage: Path | None = None) -> list[str]:
    """The command that serves on `address` (host:port); its configuration is written to `folder`/registry.yml.

    Raises SandboxError when the registry is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise SandboxError(f"{PROGRAM} is not on PATH; as root on Debian: mlp setup")
    storage = storage or registry_folder()
    storage.mkdir(parents=True, exist_ok=True)
    configuration = folder / "registry.yml"
    # JSON is YAML.
    configuration.write_text(json.dumps(registry_configuration(address, storage), indent=2) + "\n")
    configuration.chmod(0o600)
    return [program, "serve", str(configuration)]


def registry_configuration(address: str, storage: Path) -> dict[str, object]:
    """https://distribution.github.io/distribution/about/configuration/"""
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "maintenance": {"readonly": {"enabled": True}, "uploadpurging": {"enabled": False}},
        },
        # Images that are built while it runs show at once: no cache. Without a secret it would warn.
        "http": {"addr": address, "secret": secrets.token_hex(16)},
        "health": {"storagedriver": {"enabled": False}},
    }

"""Debian's docker-registry, which serves the images read-only, so that it needs only its storage folder."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

from mlp_sandbox.clusters.images.storage import registry_folder
from mlp_sandbox.errors import SandboxError

PROGRAM = "docker-registry"


def registry_command(address: str, folder: Path, storage: Path | None = None) -> list[str]:
    """Write the configuration to `folder`/registry.yml, and return the command that serves on `address` (host:port).

    Raises SandboxError if the registry is not installed.
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
    """Return the registry's configuration.

    https://distribution.github.io/distribution/about/configuration/
    """
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "maintenance": {"readonly": {"enabled": True}, "uploadpurging": {"enabled": False}},
        },
        # No cache, so that new images are visible at once. The secret prevents a warning.
        "http": {"addr": address, "secret": secrets.token_hex(16)},
        "health": {"storagedriver": {"enabled": False}},
    }

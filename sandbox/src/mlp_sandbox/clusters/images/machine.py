"""Access of this machine to its package sources, which image builds use for the duration of the build.

None of it stays in an image, except for empty files at the mount points.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

from mlp.machine.pip_configuration import read_pip_configuration

BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_CONFIGURATION = "/etc/pip.conf"
CERTIFICATES = "cert", "client-cert"


def build_options(folder: Path) -> list[str]:
    """Return options of `buildah build` that mount certificates and pip's configuration.

    Mounted files are kept in `folder`.
    """
    pip = read_pip_configuration(Path(sys.executable))
    mounts: dict[Path, str] = {}
    bundle = next(filter(_is_file, (os.environ.get("SSL_CERT_FILE", ""), str(BUNDLE))), None)
    if bundle is not None:
        mounts[Path(bundle)] = str(BUNDLE)
    configuration = pip_configuration(pip, mounts)
    path = folder / "pip.conf"
    with path.open("w") as file:
        configuration.write(file)
    mounts[path] = PIP_CONFIGURATION
    # Proxy variables need no option, because buildah's --http-proxy is on by default.
    return [part for source, target in mounts.items() for part in ("--volume", f"{source}:{target}:ro")]


def pip_configuration(pip: dict[str, str], mounts: dict[Path, str]) -> ConfigParser:
    """Return pip's configuration for a container. Files and folders that it names are added to `mounts`."""
    settings = dict(pip)
    for option in CERTIFICATES:
        if _is_file(settings.get(option, "")):
            settings[option] = mounts.setdefault(Path(settings[option]), f"/run/pip/{option}.pem")
    links: list[str] = []
    for link in settings.get("find-links", "").split():
        if "://" in link:
            links.append(link)
        elif Path(link).is_dir():
            links.append(mounts.setdefault(Path(link), f"/run/pip/links-{len(links)}"))
    settings["find-links"] = "\n".join(links)
    # No interpolation, because addresses can contain a percent sign.
    configuration = ConfigParser(interpolation=None)
    configuration["global"] = {option: value for option, value in sorted(settings.items()) if value}
    return configuration


def debian_sources(suite: str) -> list[str]:
    """Return this machine's sources.list lines for a Debian release. The list is empty if there are none."""
    if shutil.which("apt-get") is None:
        return []
    template = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", template, "Created-By: Packages"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return parse_index_targets(done.stdout, suite) if done.returncode == 0 else []


def parse_index_targets(listing: str, suite: str) -> list[str]:
    """Return the sources.list lines of a Debian release, with the release itself first.

    Releases are suite, suite-updates and suite-security.
    """
    found: dict[str, None] = {}
    for line in listing.splitlines():
        origin, address, release, component = (*line.split("|"), "", "", "", "")[:4]
        if origin == "Debian" and component == "main" and release.partition("-")[0] == suite:
            found[f"deb {address.rstrip('/')} {release} {component}"] = None
    return sorted(found, key=lambda line: line.split()[2] != suite)


def _is_file(path: str) -> bool:
    return bool(path) and Path(path).is_file()

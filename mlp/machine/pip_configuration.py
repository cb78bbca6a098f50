"""Conversion of this machine's pip configuration into uv's options.

uv does not read pip's configuration; behind a proxy or a package mirror it would find no packages.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Mapping
from pathlib import Path

# pip option -> uv variable, for options whose value needs no conversion.
PLAIN = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "retries": "UV_HTTP_RETRIES",
    "proxy": "ALL_PROXY",
}
# In pip's order of precedence, lowest first.
SECTIONS = ("global", "install", ":env:")


def read_pip_configuration(python: Path) -> dict[str, str]:
    """Return options by name, from pip's files and PIP_* variables; empty if pip fails."""
    done = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return parse_pip_configuration(done.stdout) if done.returncode == 0 else {}


def parse_pip_configuration(listing: str) -> dict[str, str]:
    """Parse the lines of `pip config list`: section.option='value'."""
    sections: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, dot, option = key.partition(".")
        if equals and dot and section in sections:
            sections[section][option.replace("_", "-")] = str(ast.literal_eval(value))
    return {option: value for section in SECTIONS for option, value in sections[section].items()}


def uv_variables(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return additional variables for uv. Variables that the user has set for uv keep their values."""
    found = {variable: pip[option] for option, variable in PLAIN.items() if pip.get(option)}
    timeout = pip.get("timeout") or pip.get("default-timeout")
    if timeout:
        found["UV_HTTP_TIMEOUT"] = str(int(float(timeout)))
    if pip.get("extra-index-url"):
        found["UV_INDEX"] = " ".join(pip["extra-index-url"].split())
        # pip takes a package from any index that has it; the hashes verify the package.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if pip.get("trusted-host"):
        found["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    # pip ignores a folder that does not exist; uv fails.
    links = [link for link in pip.get("find-links", "").split() if "://" in link or Path(link).exists()]
    if links:
        found["UV_FIND_LINKS"] = ",".join(links)
    return {variable: value for variable, value in found.items() if not environ.get(variable)}


def uv_arguments(pip: Mapping[str, str]) -> list[str]:
    """Return arguments of `uv pip` for pip options that have no uv variable."""
    return ["--no-index"] if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else []

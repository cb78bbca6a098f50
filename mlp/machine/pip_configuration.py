"""What this machine's pip is configured with, in uv's words.

uv does not read pip's configuration; behind a proxy or a package mirror it would not find a thing.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Mapping
from pathlib import Path

# pip's option -> uv's variable, for those that need no rewriting.
PLAIN = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "retries": "UV_HTTP_RETRIES",
    "proxy": "ALL_PROXY",
}
# In the order in which pip lets one win over the other.
SECTIONS = ("global", "install", ":env:")


def read_pip_configuration(python: Path) -> dict[str, str]:
    """Options by name, from pip's files and PIP_* variables; empty when pip cannot tell."""
    done = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return parse_pip_configuration(done.stdout) if done.returncode == 0 else {}


def parse_pip_configuration(listing: str) -> dict[str, str]:
    """The lines of `pip config list`: section.option='value'."""
    sections: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, dot, option = key.partition(".")
        if equals and dot and section in sections:
            sections[section][option.replace("_", "-")] = str(ast.literal_eval(value))
    return {option: value for section in SECTIONS for option, value in sections[section].items()}


def uv_variables(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Variables to add for uv. What the user set for uv already stays."""
    found = {variable: pip[option] for option, variable in PLAIN.items() if pip.get(option)}
    timeout = pip.get("timeout") or pip.get("default-timeout")
    if timeout:
        found["UV_HTTP_TIMEOUT"] = str(int(float(timeout)))
    if pip.get("extra-index-url"):
        found["UV_INDEX"] = " ".join(pip["extra-index-url"].split())
        # pip takes a package from whichever index has it; the hashes say that it is the right one.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if pip.get("trusted-host"):
        found["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    # pip passes over a folder that does not exist; uv stops.
    links = [link for link in pip.get("find-links", "").split() if "://" in link or Path(link).exists()]
    if links:
        found["UV_FIND_LINKS"] = ",".join(links)
    return {variable: value for variable, value in found.items() if not environ.get(variable)}


def uv_arguments(pip: Mapping[str, str]) -> list[str]:
    """Arguments of `uv pip` for what it has no variable for."""
    return ["--no-index"] if pip.get("no-index", "").lower() in ("1", "true", "yes", "on") else []

"""Environment variables with which plain `pulumi`, `aws`, `kubectl` and `psql` use the sandbox."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from mlp_sandbox.foreign_variables import SAVED, foreign, leads_elsewhere, remembered, saved
from mlp_sandbox.instance import Instance

REGION = "us-east-1"
ACCESS_KEY = "sandbox"
# Only emulated values are encrypted with it; it must be the same for all users of the stack files.
PASSPHRASE = "sandbox"
# Range of the addresses of the clusters' API servers.
CLUSTERS = "198.18.0.0/15"
# Sets the engine's flag --config-file for every command of the shell.
CONFIG_FILE = "PULUMI_OPTION_CONFIG_FILE"

_LISTS = ("PATH", "NO_PROXY", "no_proxy")
# A shell cannot set or unset any other names.
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def variables(instance: Instance, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables to set, PATH included. Repeated calls give the same PATH.

    Args:
        base: the environment whose PATH and proxy exceptions are extended, by default that of this process.
    """
    base = os.environ if base is None else base
    ours = _our_paths(instance)
    path = [part for part in base.get("PATH", os.defpath).split(os.pathsep) if part and part not in ours]
    no_proxy = ",".join(_no_proxy(base))
    return {
        "MLP_SANDBOX": instance.name,
        "AWS_ENDPOINT_URL": instance.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Stand-in images have no digest in any registry.
        "MLP_UNPINNED_IMAGES": "allowed",
        "AWS_CONFIG_FILE": str(instance.aws_configuration),
        "AWS_SHARED_CREDENTIALS_FILE": str(instance.home / "aws-credentials"),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "KUBECONFIG": str(instance.kubeconfig),
        "PULUMI_HOME": str(instance.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{instance.state}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PATH": os.pathsep.join([*ours, *path]),
    }


def process_environment(instance: Instance, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment for a command that is started in the sandbox.

    Every variable of `base` (by default of this process) that leads elsewhere is left out. The stack file that
    `mlp sandbox env --stack` chose stays in a shell that has the sandbox's variables.
    """
    base = os.environ if base is None else base
    chosen = {CONFIG_FILE: base[CONFIG_FILE]} if CONFIG_FILE in base and SAVED in base else {}
    kept = {name: value for name, value in base.items() if not leads_elsewhere(name) and name != SAVED}
    return {**kept, **variables(instance, base), **chosen}


def shell_lines(instance: Instance, config_file: Path | None = None, base: Mapping[str, str] | None = None) -> str:
    """Return the lines for `eval "$(mlp sandbox env)"` in sh, bash or zsh.

    The lines unset variables that lead elsewhere, set the sandbox's variables, and save the previous values in
    MLP_SANDBOX_SAVED.

    Args:
        config_file: a stack file that the engine reads in place of its own.
        base: the shell's environment, by default that of this process.
    """
    base = os.environ if base is None else base
    chosen = variables(instance, base) | ({CONFIG_FILE: str(config_file)} if config_file else {})
    gone = [name for name in foreign(base, chosen) if _SHELL_NAME.fullmatch(name)]
    before = remembered(base, [*variables(instance, base), CONFIG_FILE])
    lines = [f"unset {' '.join(gone)}"] if gone else []
    lines += [_export(name, value) for name, value in {**chosen, SAVED: json.dumps(before)}.items()]
    return "\n".join(lines)


def shell_unset_lines(base: Mapping[str, str] | None = None) -> str:
    """Return the lines for `eval "$(mlp sandbox env --unset)"`, which give the shell back its previous variables.

    PATH keeps what was added to it since; only the sandbox's own entries go. In a shell without saved variables, the
    sandbox's own variables are unset.
    """
    base = os.environ if base is None else base
    before = saved(base)
    lists = _LISTS if before is None else ("PATH",)
    ours = [name for name in variables(Instance("none", 0, Path("/"))) if name not in lists]
    lines = [f"unset {' '.join([*ours, CONFIG_FILE, SAVED])}"]
    if before is not None:
        before = before | {"PATH": _path_without_ours(base, before)}
    lines += [_export(name, value) for name, value in (before or {}).items() if _SHELL_NAME.fullmatch(name)]
    return "\n".join(lines)


def _our_paths(instance: Instance) -> list[str]:
    return [str(instance.bin), str(Path(sys.executable).parent)]


def _no_proxy(base: Mapping[str, str]) -> list[str]:
    given = [*base.get("NO_PROXY", "").split(","), *base.get("no_proxy", "").split(",")]
    return list(dict.fromkeys([*filter(None, given), "127.0.0.1", "localhost", CLUSTERS]))


def _path_without_ours(base: Mapping[str, str], before: Mapping[str, str]) -> str:
    """Return PATH without the entries that the sandbox added.

    These are its commands, and the program's folder unless PATH had it before.
    """
    had = before.get("PATH", os.defpath).split(os.pathsep)
    commands = Path(base.get("AWS_CONFIG_FILE", "/none")).parent / "bin"
    added = {str(commands), str(Path(sys.executable).parent)}
    path = base.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(part for part in path if part in had or part not in added)


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"

"""The environment in which plain `pulumi`, `aws`, `kubectl` and `psql` find the sandbox: all that sets it apart."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.instance import Instance

REGION = "us-east-1"
ACCESS_KEY = "sandbox"
# Nothing but emulated values is encrypted with it; it only has to be the same for everybody who uses the stack files.
PASSPHRASE = "sandbox"
# Where the API servers of clusters answer.
CLUSTERS = "198.18.0.0/15"
# Would point the same commands somewhere else.
UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "PULUMI_ACCESS_TOKEN")


# Sets the engine's flag --config-file for every command of the shell.
CONFIG_FILE = "PULUMI_OPTION_CONFIG_FILE"


def variables(instance: Instance, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables to set, PATH included; the same call twice gives the same PATH."""
    base = os.environ if base is None else base
    ours = [str(instance.bin), str(Path(sys.executable).parent)]
    path = [part for part in base.get("PATH", os.defpath).split(os.pathsep) if part and part not in ours]
    no_proxy = [part for part in base.get("NO_PROXY", base.get("no_proxy", "")).split(",") if part]
    no_proxy += [host for host in ("127.0.0.1", "localhost", CLUSTERS) if host not in no_proxy]
    return {
        "MLP_SANDBOX": instance.name,
        "AWS_ENDPOINT_URL": instance.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(instance.aws_configuration),
        "AWS_SHARED_CREDENTIALS_FILE": str(instance.home / "aws-credentials"),
        "NO_PROXY": ",".join(no_proxy),
        "no_proxy": ",".join(no_proxy),
        "KUBECONFIG": str(instance.kubeconfig),
        "PULUMI_HOME": str(instance.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{instance.state}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PATH": os.pathsep.join([*ours, *path]),
    }


def process_environment(instance: Instance) -> dict[str, str]:
    """The whole environment for a command that is started in the sandbox."""
    base = {key: value for key, value in os.environ.items() if key not in UNSET}
    return {**base, **variables(instance)}


def shell_lines(instance: Instance, config_file: Path | None = None) -> str:
    """For `eval "$(mlp sandbox env)"`. With `config_file` the engine reads that stack file in place of its own."""
    chosen = variables(instance) | ({CONFIG_FILE: str(config_file)} if config_file else {})
    lines = [f"unset {' '.join((*UNSET, CONFIG_FILE))}"]
    lines += [f"export {key}={shlex.quote(value)}" for key, value in chosen.items()]
    return "\n".join(lines)


def shell_unset_lines() -> str:
    """For `eval "$(mlp sandbox env --unset)"`: PATH keeps its entries, which then find nothing."""
    names = [key for key in variables(Instance("none", 0, Path("/"))) if key not in ("PATH", "NO_PROXY", "no_proxy")]
    return f"unset {' '.join((*names, CONFIG_FILE))}"

"""Environment variables of a user that would lead commands of the sandbox elsewhere, or change the identity they use.

A name that begins with one of the prefixes below counts as one that leads elsewhere, even when nobody has thought of
it; only names that are known to be harmless stay. Sources of the names:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html,
https://www.pulumi.com/docs/iac/cli/environment-variables/, https://www.postgresql.org/docs/current/libpq-envars.html,
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html,
https://kubernetes.io/docs/reference/kubectl/, https://helm.sh/docs/helm/helm/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

SAVED = "MLP_SANDBOX_SAVED"
"""Shell variable with the values that `mlp sandbox env` replaced or removed: a JSON object by name."""

_FAMILIES = ("AWS_", "PULUMI_", "MLFLOW_", "KUBE", "HELM_KUBE")
_SINGLE = frozenset({"BOTO_CONFIG"})
# They set output format, retries and trusted certificates, but neither the target nor the identity of a command.
_HARMLESS = frozenset(
    {
        *("AWS_CA_BUNDLE", "AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"),
        *("AWS_CLI_AUTO_PROMPT", "AWS_CLI_FILE_ENCODING", "AWS_SDK_UA_APP_ID"),
        *("PULUMI_DEBUG_COMMANDS", "PULUMI_DEBUG_PROVIDERS", "PULUMI_OPTION_COLOR", "PULUMI_OPTION_NON_INTERACTIVE"),
        *("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"),
    }
)
# Listed one by one, because many other names begin with PG.
_LIBPQ = frozenset(
    "PG" + name
    for name in (
        *("HOST", "HOSTADDR", "PORT", "DATABASE", "USER", "PASSWORD", "PASSFILE", "REQUIREAUTH", "CHANNELBINDING"),
        *("SERVICE", "SERVICEFILE", "OPTIONS", "SSLMODE", "SSLNEGOTIATION", "REQUIRESSL", "SSLCOMPRESSION", "SSLCERT"),
        *("SSLKEY", "SSLCERTMODE", "SSLROOTCERT", "SSLCRL", "SSLCRLDIR", "SSLSNI", "REQUIREPEER", "GSSENCMODE"),
        *("SSLMINPROTOCOLVERSION", "SSLMAXPROTOCOLVERSION", "KRBSRVNAME", "GSSLIB", "GSSDELEGATION"),
        *("TARGETSESSIONATTRS", "LOADBALANCEHOSTS", "SYSCONFDIR", "DATESTYLE", "TZ", "CLIENTENCODING"),
        *("MINPROTOCOLVERSION", "MAXPROTOCOLVERSION", "OAUTHDEBUG"),
    )
)


def leads_elsewhere(name: str) -> bool:
    """Return whether a variable may set the target or the identity of a command of the sandbox."""
    if name in _HARMLESS:
        return False
    return name.startswith(_FAMILIES) or name in _SINGLE or name in _LIBPQ


def foreign(environment: Mapping[str, str], ours: Iterable[str]) -> list[str]:
    """Return the sorted names of variables that lead elsewhere, without those that the sandbox sets."""
    own = set(ours)
    return sorted(name for name in environment if leads_elsewhere(name) and name not in own)


def remembered(environment: Mapping[str, str], ours: Iterable[str]) -> dict[str, str]:
    """Return the variables that `--unset` restores: their values from before the sandbox's variables were first set.

    In a shell that already has the sandbox's variables, their current values are the sandbox's own, so the values that
    were saved before stay. A foreign variable that was set since then is saved with its current value.

    Args:
        environment: the shell's environment.
        ours: the names that the sandbox sets.
    """
    own = set(ours)
    kept = saved(environment)
    if kept is None:
        kept = {name: environment[name] for name in sorted(own) if name in environment}
    return kept | {name: environment[name] for name in foreign(environment, own)}


def saved(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return the variables that an earlier call saved in this shell; None when there are none that can be read."""
    try:
        found = json.loads(environment.get(SAVED, ""))
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return {str(name): str(value) for name, value in found.items()}

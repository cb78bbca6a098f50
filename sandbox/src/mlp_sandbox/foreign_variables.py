"""Environment variables of a user that would lead commands of the sandbox elsewhere, or change as whom they act.

The families below are closed by prefix: a name that nobody has thought of counts as one that leads elsewhere, and only
what is known to be harmless stays. Sources of the names:
https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html,
https://www.pulumi.com/docs/iac/cli/environment-variables/, https://www.postgresql.org/docs/current/libpq-envars.html,
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html,
https://kubernetes.io/docs/reference/kubectl/, https://helm.sh/docs/helm/helm/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

SAVED = "MLP_SANDBOX_SAVED"
"""Holds, in the shell, the variables that `mlp sandbox env` replaced or took away: a JSON object by name."""

_FAMILIES = ("AWS_", "PULUMI_", "MLFLOW_", "KUBE", "HELM_KUBE")
_SINGLE = frozenset({"BOTO_CONFIG"})
# How commands look, how patiently they ask and which certificates they trust: nothing of where they go, or as whom.
_HARMLESS = frozenset(
    {
        *("AWS_CA_BUNDLE", "AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"),
        *("AWS_CLI_AUTO_PROMPT", "AWS_CLI_FILE_ENCODING", "AWS_SDK_UA_APP_ID"),
        *("PULUMI_DEBUG_COMMANDS", "PULUMI_DEBUG_PROVIDERS", "PULUMI_OPTION_COLOR", "PULUMI_OPTION_NON_INTERACTIVE"),
        *("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"),
    }
)
# PG alone begins too many other names.
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
    """Return whether a variable may say where a command of the sandbox goes, or as whom it acts."""
    if name in _HARMLESS:
        return False
    return name.startswith(_FAMILIES) or name in _SINGLE or name in _LIBPQ


def foreign(environment: Mapping[str, str], ours: Iterable[str]) -> list[str]:
    """Return the names of an environment that lead elsewhere, in order, those that the sandbox sets left out."""
    own = set(ours)
    return sorted(name for name in environment if leads_elsewhere(name) and name not in own)


def remembered(environment: Mapping[str, str], ours: Iterable[str]) -> dict[str, str]:
    """Return what `--unset` gives back: the values from before the sandbox's variables were first set.

    `ours` are the names that the sandbox sets. In a shell that has them already, their values are the sandbox's own,
    so the values that were saved before stay. A foreign variable that was set since then is saved as it is now.
    """
    own = set(ours)
    kept = saved(environment)
    if kept is None:
        kept = {name: environment[name] for name in sorted(own) if name in environment}
    return kept | {name: environment[name] for name in foreign(environment, own)}


def saved(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return what an earlier call has saved in this shell; None where there is nothing, or nothing readable."""
    try:
        found = json.loads(environment.get(SAVED, ""))
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return {str(name): str(value) for name, value in found.items()}

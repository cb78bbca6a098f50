"""The provider's inputs: their valid values, their meaning, and the changes of them that mean another cluster.

https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from mlp_sandbox.providers.kubernetes.kubeconfig import active_cluster
from mlp_sandbox.providers.values import Props, Unknown

# Input, and the environment variable that replaces it.
FLAGS = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
WHERE = ("kubeconfig", "context", "cluster")
# They configure a client that this provider does not have, or Helm, which is rejected where it is used.
IGNORED = frozenset({"kubeClientSettings", "helmReleaseSettings", "suppressHelmHookWarnings", "version"})
_NO_RENDERING = "manifests are not rendered here; leave it out"
REFUSED = {
    "renderYamlToDirectory": _NO_RENDERING,
    "alwaysRender": _NO_RENDERING,
    "enableServerSideApply": "objects are applied on the server only here; leave it out, or set it to true",
}


@dataclass(frozen=True)
class Settings:
    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    force: bool = False
    upsert: bool = False
    suppress_warnings: bool = False
    mutable: frozenset[str] = frozenset()


def problems(config: Props) -> list[tuple[str, str]]:
    known = {*FLAGS, *WHERE, *IGNORED, *REFUSED, "namespace", "clusterIdentifier", "strictMode", "pluginDownloadURL"}
    given = {"enableServerSideApply": os.environ.get("PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", True), **config}
    found = [(key, REFUSED[key]) for key in ("renderYamlToDirectory", "alwaysRender") if given.get(key)]
    applies = given["enableServerSideApply"]
    if not isinstance(applies, Unknown) and not _is_true(applies):
        found.append(("enableServerSideApply", REFUSED["enableServerSideApply"]))
    found += [(key, "is not known") for key in sorted(config.keys() - known)]
    return [(key, f"kubernetes provider: the input '{key}': {reason}") for key, reason in found]


def settings_of(config: Props) -> Settings:
    """Return the settings; inputs have precedence over environment variables."""
    on = {name: _is_true(config.get(name, os.environ.get(variable))) for name, variable in FLAGS.items()}
    mutable = {"ConfigMap": on["enableConfigMapMutable"], "Secret": on["enableSecretMutable"]}
    return Settings(
        **{name: str(config.get(name) or "") for name in (*WHERE, "namespace")},
        delete_unreachable=on["deleteUnreachable"],
        skip_update_unreachable=on["skipUpdateUnreachable"],
        force=on["enablePatchForce"],
        upsert=on["upsertExistingObjects"],
        suppress_warnings=on["suppressDeprecationWarnings"],
        mutable=frozenset(name for name, may in mutable.items() if may),
    )


def replaces(old: Props, new: Props, changed: list[str]) -> list[str]:
    """Return the changed inputs that replace all resources.

    As in the official provider, these are the inputs that select another cluster of the kubeconfig, or may do so. With
    `clusterIdentifier` on both sides only that one decides; adding or removing it replaces nothing by itself.
    """
    identifiers = old.get("clusterIdentifier"), new.get("clusterIdentifier")
    if all(identifiers):
        return ["clusterIdentifier"] if identifiers[0] != identifiers[1] else []
    if unknown := [key for key in WHERE if isinstance(new.get(key), Unknown)]:
        return unknown
    before = active_cluster(*(old.get(key) for key in WHERE))
    after = active_cluster(*(new.get(key) for key in WHERE))
    if before is None or after is None or before == after:
        return []
    return [key for key in WHERE if key in changed]


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() in ("true", "1"))

"""EKS: add-ons of a cluster, in explicit versions, with the Pod Identity associations that they own."""

import json
from typing import Any

import jsonschema

from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.faults import NOT_IMPLEMENTED, Fault
from mlp_sandbox.emulator.services.eks.addon_health import addon_health
from mlp_sandbox.emulator.services.eks.addon_schemas import SCHEMAS
from mlp_sandbox.emulator.services.eks.addon_versions import ADDONS, check_addon_version, default_addon_version
from mlp_sandbox.emulator.services.eks.pod_identity import associate, check_pod_role, remove_owned
from mlp_sandbox.emulator.services.eks.records import (
    IN_USE,
    INVALID_PARAMETER,
    NOT_FOUND,
    ClusterRecord,
    begin_update,
    check_tags,
    cluster_of,
    new_uuid,
    now,
    page,
)
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@extends("eks", "CreateAddon")
def create(call: Call) -> Result:
    """Create an add-on. The version must exist, and the configuration must match its schema."""
    cluster, params = cluster_of(call), call.params
    name = str(params["addonName"])
    if name in cluster.addons:
        raise Fault(IN_USE, "Addon already exists.", 409)
    if name not in ADDONS:
        check_addon_version(name, "", cluster.version)
    version = str(params.get("addonVersion") or default_addon_version(name, cluster.version))
    check_addon_version(name, version, cluster.version)
    values = _checked_values(name, params.get("configurationValues"))
    _check_role(cluster, params)
    check_tags(params.get("tags") or {})
    namespace = (params.get("namespaceConfig") or {}).get("namespace") or ADDONS[name].namespace
    if namespace != ADDONS[name].namespace:
        text = f"eks: namespaceConfig: the local AWS account installs {name} into {ADDONS[name].namespace} only"
        raise Fault(NOT_IMPLEMENTED, text, 501)
    moment = now()
    addon: Result = {
        "addonName": name,
        "clusterName": cluster.name,
        "addonVersion": version,
        "addonArn": cluster.sub_arn("addon", name, new_uuid()),
        "createdAt": moment,
        "modifiedAt": moment,
        "tags": dict(params.get("tags") or {}),
        "publisher": ADDONS[name].publisher,
        "owner": ADDONS[name].owner,
        "namespaceConfig": {"namespace": namespace},
    }
    if params.get("serviceAccountRoleArn"):
        addon["serviceAccountRoleArn"] = params["serviceAccountRoleArn"]
    if values:
        addon["configurationValues"] = values
    _associate(cluster, addon, params.get("podIdentityAssociations"))
    cluster.addons[name] = addon
    return {"addon": shown(cluster, addon) | {"status": "CREATING"}}


@extends("eks", "DescribeAddon")
def describe(call: Call) -> Result:
    """Describe an add-on as stored, with its health."""
    cluster = cluster_of(call)
    return {"addon": shown(cluster, addon_of(call, cluster))}


@extends("eks", "ListAddons")
def list_addons(call: Call) -> Result:
    """List the names of the add-ons."""
    names, token = page(call, cluster_of(call).addons)
    return {"addons": names, **token}


@extends("eks", "UpdateAddon")
def update(call: Call) -> Result:
    """Update an add-on. Settings not sent are kept, except the service account's role, which is then removed."""
    cluster, params = cluster_of(call), call.params
    addon = addon_of(call, cluster)
    name, said = str(addon["addonName"]), dict[str, str]()
    version = str(params.get("addonVersion") or addon["addonVersion"])
    if params.get("addonVersion"):
        check_addon_version(name, version, cluster.version)
        said["AddonVersion"] = version
    values = _checked_values(name, params.get("configurationValues"))
    _check_role(cluster, params)
    addon |= {"addonVersion": version, "modifiedAt": now()}
    if params.get("resolveConflicts"):
        said["ResolveConflicts"] = params["resolveConflicts"]
    if params.get("configurationValues") is not None:
        addon["configurationValues"] = said["ConfigurationValues"] = values
        if not values:
            del addon["configurationValues"]
    addon.pop("serviceAccountRoleArn", None)
    if params.get("serviceAccountRoleArn"):
        addon["serviceAccountRoleArn"] = said["ServiceAccountRoleArn"] = params["serviceAccountRoleArn"]
    if params.get("podIdentityAssociations") is not None:
        _associate(cluster, addon, params["podIdentityAssociations"])
        said["PodIdentityAssociations"] = json.dumps(params["podIdentityAssociations"])
    return begin_update(cluster, "AddonUpdate", said, addon=name)


@extends("eks", "DeleteAddon")
def delete(call: Call) -> Result:
    """Delete an add-on with the associations that it owns."""
    cluster = cluster_of(call)
    addon = addon_of(call, cluster)
    last = shown(cluster, addon) | {"status": "DELETING"}
    remove_owned(cluster, addon["addonArn"])
    del cluster.addons[addon["addonName"]]
    return {"addon": last}


def addon_of(call: Call, cluster: ClusterRecord) -> Result:
    """Return the add-on that the call names.

    Raises:
        Fault: ResourceNotFoundException: there is no such add-on.
    """
    name = str(call.params["addonName"])
    if name not in cluster.addons:
        raise Fault(NOT_FOUND, f"No addon: {name} found in cluster: {cluster.name}", 404)
    return cluster.addons[name]


def shown(cluster: ClusterRecord, addon: Result) -> Result:
    """Return the description with status, health and associations."""
    status, issues = addon_health(cluster, addon)
    owned = [
        item["associationArn"] for item in cluster.associations.values() if item.get("ownerArn") == addon["addonArn"]
    ]
    answer: Result = {"status": status, "health": {"issues": issues}}
    return addon | answer | ({"podIdentityAssociations": owned} if owned else {})


def _checked_values(name: str, text: str | None) -> str:
    if not text or not text.strip():
        return ""
    try:
        values: Any = json.loads(text)
        jsonschema.validate(values, SCHEMAS[name])
    except ValueError as error:
        raise Fault(
            INVALID_PARAMETER, f"ConfigurationValue provided in request is not supported: it is no JSON: {error}"
        ) from None
    except jsonschema.ValidationError as error:
        raise Fault(
            INVALID_PARAMETER,
            "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "
            f"[{error.json_path}: {error.message}]",
        ) from None
    return text


def _check_role(cluster: ClusterRecord, params: Result) -> None:
    role, associations = params.get("serviceAccountRoleArn"), params.get("podIdentityAssociations")
    if role and associations:
        raise Fault(INVALID_PARAMETER, "serviceAccountRoleArn and podIdentityAssociations cannot be given together")
    if role and role_by_arn(role) is None:
        raise Fault(INVALID_PARAMETER, f"serviceAccountRoleArn: the role {role} does not exist")
    name = str(params["addonName"])
    for item in associations or []:
        if item["serviceAccount"] != ADDONS[name].service_account:
            raise Fault(INVALID_PARAMETER, f"Addon {name} has no service account {item['serviceAccount']} with a role")
        check_pod_role(cluster, item["roleArn"], ADDONS[name].namespace, item["serviceAccount"])


def _associate(cluster: ClusterRecord, addon: Result, sent: list[Result] | None) -> None:
    """Set the add-on's associations to those sent. Unchanged associations keep their id."""
    if sent is None:
        return
    namespace, owner = addon["namespaceConfig"]["namespace"], addon["addonArn"]
    wanted = {item["serviceAccount"]: item["roleArn"] for item in sent}
    for id, item in list(cluster.associations.items()):
        if item.get("ownerArn") == owner and wanted.get(item["serviceAccount"]) != item["roleArn"]:
            del cluster.associations[id]
    kept = {item["serviceAccount"] for item in cluster.associations.values() if item.get("ownerArn") == owner}
    for account in [account for account in wanted if account not in kept]:
        associate(cluster, namespace, account, wanted[account], {"ownerArn": owner})

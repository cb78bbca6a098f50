"""RDS instances: fields that moto drops, versions that do not exist, and the data plane's status."""

from typing import Any

from moto.rds.models import rds_backends
from moto.secretsmanager.models import secretsmanager_backends

from mlp_sandbox.emulator.databases import current_status
from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.messages import Request
from mlp_sandbox.emulator.services.rds.pending import complete_storage, forget, settle_due, waiting
from mlp_sandbox.emulator.services.rds.versions import family, offered_versions, postgres_versions
from mlp_sandbox.emulator.services.registry import Call, Result, UpstreamError, extends

_HOSTED_ZONE = "Z2R2ITUGPM61AM"
_PERFORMANCE = ("PerformanceInsightsEnabled", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod")
# Fields that moto accepts and drops on creation. moto shows them when the attribute of the same name is set.
_DROPPED = {
    "DatabaseInsightsMode": "database_insights_mode",
    "DedicatedLogVolume": "dedicated_log_volume",
    "EngineLifecycleSupport": "engine_lifecycle_support",
    "NetworkType": "network_type",
    "PromotionTier": "promotion_tier",
}
# moto's status -> the data plane's state -> the status that the API shows.
_SHOWN = {
    "available": {"creating": "creating", "available": "available", "failed": "failed", "stopped": "starting"},
    "stopped": {"creating": "stopped", "available": "stopping", "failed": "failed", "stopped": "stopped"},
}


def _backend(call: Call) -> Any:
    return rds_backends[call.identity.account][call.identity.region]


def _shown(call: Call, instance: Result) -> Result:
    """Complete moto's description with stored fields and the state of the running database."""
    kept = call.remembered("instances").get(instance["DbiResourceId"], {})
    shown = instance | {"PerformanceInsightsEnabled": False} | kept
    shown["PendingModifiedValues"] = waiting(call, instance["DbiResourceId"])
    shown.pop("DbInstancePort", None)
    if not shown.get("MonitoringInterval"):
        shown.pop("MonitoringRoleArn", None)
    endpoint = {**instance.get("Endpoint", {}), "HostedZoneId": _HOSTED_ZONE}
    status = current_status(instance["DbiResourceId"]) if instance["Engine"] == "postgres" else None
    if status is not None and instance["DBInstanceStatus"] in _SHOWN:
        shown["DBInstanceStatus"] = _SHOWN[instance["DBInstanceStatus"]][status.state]
        endpoint["Address"] = status.address or endpoint.get("Address")
        if status.state in {"creating", "failed"}:
            endpoint = {}
    shown.pop("Endpoint", None)
    return shown | ({"Endpoint": endpoint} if endpoint.get("Address") else {})


@extends("rds", "DescribeDBInstances")
def describe(call: Call) -> Result:
    """Describe every instance, completed."""
    settle_due(call)
    result = call.proceed()
    result["DBInstances"] = [_shown(call, instance) for instance in result["DBInstances"]]
    return result


@extends("rds", "CreateDBInstance")
def create(call: Call) -> Result:
    """Create an instance. Reject versions that do not exist, and store the fields that moto drops."""
    params = call.params
    if params["Engine"] == "postgres":
        version = params.get("EngineVersion") or postgres_versions()[-1]
        check_version(version)
        full = version if "." in version else [v for v in postgres_versions() if v.startswith(f"{version}.")][-1]
        result = _proceed_cleanly(call, call.altered(EngineVersion=full))
    else:
        result = _proceed_cleanly(call, call.request)
    instance = _backend(call).databases[result["DBInstance"]["DBInstanceIdentifier"]]
    if params["Engine"] == "postgres":
        instance.license_model = params.get("LicenseModel") or "postgresql-license"
        if not params.get("OptionGroupName"):
            instance.option_group_name = f"default:{family(instance.engine_version).replace('postgres', 'postgres-')}"
    if not params.get("CACertificateIdentifier"):
        instance.ca_certificate_identifier = "rds-ca-rsa2048-g1"
    complete_storage(instance)
    for name, attribute in _DROPPED.items():
        if params.get(name) is not None:
            setattr(instance, attribute, params[name])
            result["DBInstance"][name] = params[name]
    return after_write(call, result)


def _proceed_cleanly(call: Call, request: Request) -> Result:
    """Let moto create the instance; if moto rejects it, remove the password secret that moto has already created."""
    secrets: Any = secretsmanager_backends[call.identity.account][call.identity.region].secrets
    before = set(secrets)
    try:
        return call.proceed(request)
    except UpstreamError:
        for name in set(secrets) - before:
            secrets.pop(name)
        raise


def after_write(call: Call, result: Result) -> Result:
    """Store the fields that moto drops from a created or changed instance, and return the completed reply."""
    params = call.params
    identifier = result["DBInstance"]["DBInstanceIdentifier"]
    instance = _backend(call).databases[identifier]
    if instance.manage_master_user_password:
        instance.master_user_secret._status = "active"  # moto would change it on a read
        result["DBInstance"]["MasterUserSecret"]["SecretStatus"] = "active"
    kept = call.remembered("instances").setdefault(instance.dbi_resource_id, {})
    if params.get("EnablePerformanceInsights") is not None:
        kept["PerformanceInsightsEnabled"] = params["EnablePerformanceInsights"]
    for name in _PERFORMANCE[1:]:
        if params.get(name) is not None:
            kept[name] = params[name]
    if kept.get("PerformanceInsightsEnabled"):
        kept.setdefault("PerformanceInsightsRetentionPeriod", 7)
    else:
        for name in _PERFORMANCE[1:]:
            kept.pop(name, None)
    changed = {"LicenseModel": instance.license_model, "CACertificateIdentifier": instance.ca_certificate_identifier}
    if instance.iops:
        changed["Iops"] = int(instance.iops)
    if instance.storage_throughput:
        changed["StorageThroughput"] = int(instance.storage_throughput)
    result["DBInstance"] = _shown(call, result["DBInstance"] | changed)
    return result


@extends("rds", "StopDBInstance", "StartDBInstance")
def stop_or_start(call: Call) -> Result:
    """Stop or start an instance. The reply has AWS's status before the data plane begins."""
    settle_due(call)
    result = call.proceed()
    result["DBInstance"] = _shown(call, result["DBInstance"])
    result["DBInstance"]["DBInstanceStatus"] = "stopping" if call.identity.operation == "StopDBInstance" else "starting"
    return result


@extends("rds", "DeleteDBInstance")
def delete(call: Call) -> Result:
    """Delete an instance and its stored fields."""
    settle_due(call)
    result = call.proceed()
    call.remembered("instances").pop(result["DBInstance"]["DbiResourceId"], None)
    forget(call, result["DBInstance"]["DbiResourceId"])
    result["DBInstance"].pop("DbInstancePort", None)
    result["DBInstance"]["DBInstanceStatus"] = "deleting"
    return result


@extends("rds", "DescribeDBEngineVersions")
def describe_versions(call: Call) -> Result:
    """List the versions of PostgreSQL 15 to 17. Other engines have no versions here."""
    params = call.params
    wanted = params.get("EngineVersion")
    versions = offered_versions() if params.get("Engine", "postgres") == "postgres" else []
    if wanted:
        versions = [version for version in versions if version == wanted or version.startswith(f"{wanted}.")]
    if params.get("DBParameterGroupFamily"):
        versions = [version for version in versions if family(version) == params["DBParameterGroupFamily"]]
    if params.get("DefaultOnly"):
        versions = versions[-1:]
    return {
        "DBEngineVersions": [
            {
                "Engine": "postgres",
                "EngineVersion": version,
                "MajorEngineVersion": version.split(".")[0],
                "DBParameterGroupFamily": family(version),
                "DBEngineDescription": "PostgreSQL",
                "DBEngineVersionDescription": f"PostgreSQL {version}-R1",
                "Status": "available",
                "SupportsReadReplica": True,
                "ExportableLogTypes": ["postgresql", "upgrade", "iam-db-auth-error"],
                "ValidUpgradeTarget": [
                    {
                        "Engine": "postgres",
                        "EngineVersion": target,
                        "Description": f"PostgreSQL {target}-R1",
                        "AutoUpgrade": False,
                        "IsMajorVersionUpgrade": target.split(".")[0] != version.split(".")[0],
                    }
                    for target in offered_versions()[offered_versions().index(version) + 1 :]
                ],
            }
            for version in versions
        ]
    }


def check_version(version: str) -> None:
    """Reject a version that does not exist, with AWS's message."""
    if not any(known == version or known.startswith(f"{version}.") for known in postgres_versions()):
        raise Fault("InvalidParameterCombination", f"Cannot find version {version} for postgres")

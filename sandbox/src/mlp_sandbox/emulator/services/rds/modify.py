"""RDS: changes and renames of instances, immediate or in the maintenance window."""

import re
from typing import Any

from moto.rds.models import rds_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.rds import pending
from mlp_sandbox.emulator.services.rds.instances import after_write, check_version
from mlp_sandbox.emulator.services.rds.versions import family, postgres_versions
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_IDENTIFIER = re.compile(r"[a-z](-?[a-z0-9])*")


@extends("rds", "ModifyDBInstance")
def modify(call: Call) -> Result:
    """Modify an instance. moto makes the changes that never wait.

    The others are put in force here, or stored for the maintenance window.
    """
    pending.settle_due(call)
    params = call.params
    backend: Any = rds_backends[call.identity.account][call.identity.region]
    instance = backend.databases.get(params["DBInstanceIdentifier"].lower())
    if instance is None or instance.engine != "postgres":
        return after_write(call, call.proceed())
    wanted = _wanted(call, backend, instance)
    later = pending.waiting(call, instance.dbi_resource_id) | wanted
    at_once = later if params.get("ApplyImmediately") else {}
    retention = later.get("BackupRetentionPeriod")
    if retention and instance.backup_retention_period:
        at_once = at_once | {"BackupRetentionPeriod": retention}  # only switching backups on or off waits
    at_once = {name: value for name, value in at_once.items() if value != pending.current(instance, name)}
    result = _change(call, backend, instance, at_once)
    later = {name: value for name, value in later.items() if value != pending.current(instance, name)}
    if later != pending.waiting(call, instance.dbi_resource_id):
        pending.wait(call, instance.dbi_resource_id, later)
    if not later:
        pending.forget(call, instance.dbi_resource_id)
    return after_write(call, result)


def _change(call: Call, backend: Any, instance: Any, at_once: Result) -> Result:
    """Make all changes or none: moto validates some values only after it has changed others."""
    params, without = call.params, set(pending.DEFERRABLE.values())
    saved, name = dict(vars(instance)), instance.db_instance_identifier
    exports = saved["enabled_cloudwatch_logs_exports"]
    switched_off = (params.get("CloudwatchLogsExportConfiguration") or {}).get("DisableLogTypes") or []
    # moto fails on log types that are already off.
    instance.enabled_cloudwatch_logs_exports = [*exports, *(item for item in switched_off if item not in exports)]
    try:
        pending.put_in_force(backend, instance, at_once)
        if params.get("DBPortNumber"):
            instance.port = params["DBPortNumber"]
        if params.get("DBParameterGroupName") == f"default.{family(instance.engine_version)}":
            instance.db_parameter_group_name = params["DBParameterGroupName"]
            without.add("DBParameterGroupName")  # moto knows default groups only after a read of them
        if params.get("ManageMasterUserPassword") and instance.manage_master_user_password:
            without.add("ManageMasterUserPassword")  # moto would create another secret
            if params.get("MasterUserSecretKmsKeyId"):
                instance.master_user_secret.secret.kms_key_id = params["MasterUserSecretKmsKeyId"]
        renamed = {"DBInstanceIdentifier": instance.db_instance_identifier}
        result = call.proceed(call.altered(without=without, **renamed))
    except Exception:
        if instance.db_instance_identifier != name:
            pending.rename(backend, instance, name)
        vars(instance).clear()
        vars(instance).update(saved)
        raise
    kept = instance.enabled_cloudwatch_logs_exports
    instance.enabled_cloudwatch_logs_exports = [item for n, item in enumerate(kept) if item not in kept[:n]]
    return result


def _wanted(call: Call, backend: Any, instance: Any) -> Result:
    """Return the requested changes that may wait, validated at once as AWS does."""
    wanted = {name: call.params[sent] for name, sent in pending.DEFERRABLE.items() if call.params.get(sent) is not None}
    if "DBInstanceIdentifier" in wanted:
        wanted["DBInstanceIdentifier"] = _new_identifier(wanted["DBInstanceIdentifier"], backend, instance)
    if "EngineVersion" in wanted:
        wanted["EngineVersion"] = _new_version(call, wanted["EngineVersion"], instance.engine_version)
    group = wanted.get("DBSubnetGroupName")
    if group is not None and group not in backend.subnet_groups:
        raise Fault("DBSubnetGroupNotFoundFault", f"DB subnet group '{group}' does not exist.", 404)
    return wanted


def _new_identifier(wanted: str, backend: Any, instance: Any) -> str:
    identifier = wanted.lower()
    if not _IDENTIFIER.fullmatch(identifier) or len(identifier) > 63:
        raise Fault(
            "InvalidParameterValue",
            "The parameter DBInstanceIdentifier is not a valid identifier. Identifiers must begin with a letter; must "
            "contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "
            "consecutive hyphens.",
        )
    if backend.databases.get(identifier, instance) is not instance:
        raise Fault("DBInstanceAlreadyExists", "DB instance already exists")
    return identifier


def _new_version(call: Call, wanted: str, before: str) -> str:
    check_version(wanted)
    if before == wanted or before.startswith(f"{wanted}."):
        return before
    version = wanted if "." in wanted else [known for known in postgres_versions() if family(known)[8:] == wanted][-1]
    older, newer = ([int(part) for part in text.split(".")] for text in (before, version))
    if newer < older:
        raise Fault("InvalidParameterCombination", f"Cannot upgrade postgres from {before} to {version}")
    if newer[0] > older[0] and not call.params.get("AllowMajorVersionUpgrade"):
        raise Fault(
            "InvalidParameterCombination",
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
        )
    return version

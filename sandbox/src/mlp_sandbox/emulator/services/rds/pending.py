"""RDS changes that wait for the maintenance window, and the code that makes them, then or at once.

The choice of waiting changes follows the table of settings in the RDS user guide ("Modifying an Amazon RDS DB
instance").
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.rds.models import rds_backends

from mlp_sandbox.emulator import databases
from mlp_sandbox.emulator.services.registry import Call, Result

# Name in PendingModifiedValues -> moto's attribute. The storage type comes before the settings that depend on it.
_ATTRIBUTES = {
    "StorageType": "storage_type",
    "AllocatedStorage": "allocated_storage",
    "Iops": "iops",
    "StorageThroughput": "_storage_throughput",
    "DBInstanceClass": "db_instance_class",
    "BackupRetentionPeriod": "backup_retention_period",
    "MultiAZ": "multi_az",
    "EngineVersion": "engine_version",
    "LicenseModel": "license_model",
    "CACertificateIdentifier": "ca_certificate_identifier",
    "DBSubnetGroupName": "db_subnet_group_name",
    "IAMDatabaseAuthenticationEnabled": "enable_iam_database_authentication",
    "DedicatedLogVolume": "dedicated_log_volume",
    "DBInstanceIdentifier": "db_instance_identifier",
}
_SENT_AS = {
    "IAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "DBInstanceIdentifier": "NewDBInstanceIdentifier",
}
DEFERRABLE = {name: _SENT_AS.get(name, name) for name in _ATTRIBUTES}
"""Settings that may wait -> their parameters of ModifyDBInstance."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Performance included in gp3 storage below 400 GiB.
_GP3_IOPS, _GP3_THROUGHPUT = 3000, 125


def current(instance: Any, name: str) -> Any:
    """Return the value in force of a setting that may wait."""
    if name == "DBSubnetGroupName":
        return getattr(getattr(instance, "db_subnet_group", None), "name", None)
    return getattr(instance, _ATTRIBUTES[name], None)


def put_in_force(backend: Any, instance: Any, values: Mapping[str, Any]) -> None:
    """Make the changes."""
    if "StorageType" in values:
        instance.iops = instance._storage_throughput = None
    for name, attribute in _ATTRIBUTES.items():
        if name == "DBInstanceIdentifier" and name in values:
            rename(backend, instance, values[name])
        elif name in values:
            setattr(instance, attribute, values[name])
    complete_storage(instance)


def rename(backend: Any, instance: Any, identifier: str) -> None:
    """Change the identifier of an instance."""
    del backend.databases[instance.db_instance_identifier]
    instance.db_instance_identifier = identifier
    backend.databases[identifier] = instance


def complete_storage(instance: Any) -> None:
    """Set the IOPS and throughput that gp3 storage below 400 GiB includes."""
    if instance.storage_type == "gp3" and instance.allocated_storage < 400:
        instance.iops = instance.iops or _GP3_IOPS
        instance.storage_throughput = instance.storage_throughput or _GP3_THROUGHPUT


def waiting(call: Call, resource_id: str) -> Result:
    """Return the changes that wait for the instance's maintenance window, as PendingModifiedValues shows them."""
    return dict(call.remembered("pending").get(resource_id, {}).get("values", {}))


def wait(call: Call, resource_id: str, values: Result) -> None:
    """Store the waiting changes in place of the previous ones."""
    call.remembered("pending")[resource_id] = {"since": datetime.now(UTC), "values": values}


def forget(call: Call, resource_id: str) -> None:
    """Remove all waiting changes of an instance."""
    call.remembered("pending").pop(resource_id, None)


def settle_due(call: Call) -> None:
    """Make the changes whose maintenance window has begun.

    There is no timer, so every request that looks at instances calls this.
    """
    backend: Any = rds_backends[call.identity.account][call.identity.region]
    pending = call.remembered("pending")
    for instance in list(backend.databases.values()):
        entry = pending.get(instance.dbi_resource_id)
        if entry is None:
            continue
        if datetime.now(UTC) >= window_start(instance.preferred_maintenance_window, entry["since"]):
            del pending[instance.dbi_resource_id]
            taken = entry["values"].get("DBInstanceIdentifier") in backend.databases
            values = {k: v for k, v in entry["values"].items() if not (taken and k == "DBInstanceIdentifier")}
            put_in_force(backend, instance, values)
            if databases.CURRENT is not None:
                databases.CURRENT.request_reconcile()


def window_start(window: str, since: datetime) -> datetime:
    """Return the first start of a window such as `mon:05:00-mon:06:00` at or after a moment."""
    match = re.match(rf"({'|'.join(_DAYS)}):(\d\d):(\d\d)-", window)
    if match is None:
        raise ValueError(f"maintenance window {window!r} is not written like mon:05:00-mon:06:00")
    start = since.replace(hour=int(match[2]), minute=int(match[3]), second=0, microsecond=0)
    start += timedelta(days=(_DAYS.index(match[1]) - since.weekday()) % 7)
    return start if start >= since else start + timedelta(days=7)

"""RDS: minor versions that AWS has retired are rejected for new instances and upgrades, with AWS's message."""

from typing import Any

from moto.rds.models import rds_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.quotas.registry import Asked, checks
from mlp_sandbox.emulator.services.rds.versions import is_retired


@checks("rds", "CreateDBInstance", "ModifyDBInstance")
def retired_versions(asked: Asked) -> None:
    """Reject a retired version, except for an instance that already has it."""
    wanted = str(asked.params.get("EngineVersion") or "")
    backend: Any = rds_backends[asked.identity.account][asked.identity.region]
    there = backend.databases.get(str(asked.params.get("DBInstanceIdentifier", "")).lower())
    engine = asked.params.get("Engine") or (there.engine if there is not None else "")
    if engine != "postgres" or (there is not None and there.engine_version == wanted):
        return
    if is_retired(wanted):
        raise Fault("InvalidParameterCombination", f"Cannot find version {wanted} for postgres")

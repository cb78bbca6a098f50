"""RDS instances of PostgreSQL; RDS itself keeps their master passwords in Secrets Manager."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    REGION,
    TAGS,
    Problems,
    between,
    missing,
    one_of,
    present,
    to_pairs,
)
from mlp_sandbox.providers.aws.services._waiting import refused, wait_until
from mlp_sandbox.providers.aws.services.rds._names import CHANGEABLE, COMPUTED, FIXED, OFF, SENT, UNSUPPORTED
from mlp_sandbox.providers.aws.services.rds.groups import RdsHandler

RESOURCE_ID = re.compile(r"db-[0-9A-Z]{24,26}")
GONE = ("DBInstanceNotFound", "DBInstanceNotFoundFault")
READY = ("available", "storage-optimization")
BROKEN = (
    *("failed", "inaccessible-encryption-credentials", "incompatible-network", "incompatible-option-group"),
    *("incompatible-parameters", "incompatible-restore", "restore-error", "storage-full"),
)


class Instance(RdsHandler):
    token = "aws:rds/instance:Instance"
    autoname = AutoName("identifier", lowercase=True, max_length=63)
    outputs = (
        *("address", "arn", "endpoint", "engineVersionActual", "hostedZoneId", "listenerEndpoints"),
        *("masterUserSecrets", "replicas", "resourceId", "status"),
    )
    unsupported: ClassVar[Mapping[str, str]] = UNSUPPORTED
    fields: ClassVar[Mapping[str, Field]] = {
        **{name: Field() for name in UNSUPPORTED},
        **{name: Field() for name in ("instanceClass", "manageMasterUserPassword")},
        **{name: Field(default=False) for name in OFF},
        **{name: Field(computed=True) for name in COMPUTED},
        **REGION,
        **TAGS,
        "allowMajorVersionUpgrade": Field(write_only=True),
        "applyImmediately": Field(default=False, write_only=True),
        "autoMinorVersionUpgrade": Field(default=True),
        "availabilityZone": Field(replace=True, computed=True),
        "backupTarget": Field(replace=True, computed=True),
        "characterSetName": Field(replace=True, computed=True),
        "customIamInstanceProfile": Field(replace=True),
        "dbName": Field(replace=True, computed=True),
        "deleteAutomatedBackups": Field(default=True, write_only=True),
        "enabledCloudwatchLogsExports": Field(kind="set"),
        "engine": Field(replace=True, computed=True),
        "engineLifecycleSupport": Field(replace=True, computed=True),
        "finalSnapshotIdentifier": Field(write_only=True),
        "identifier": Field(),
        "identifierPrefix": Field(write_only=True),
        "kmsKeyId": Field(replace=True, computed=True),
        "maxAllocatedStorage": Field(default=0),
        "monitoringInterval": Field(default=0),
        "ncharCharacterSetName": Field(replace=True, computed=True),
        "restoreToPointInTime": Field(replace=True),
        "skipFinalSnapshot": Field(default=False, write_only=True),
        "snapshotIdentifier": Field(replace=True, computed=True),
        "storageEncrypted": Field(replace=True, default=False),
        "timezone": Field(replace=True, computed=True),
        "username": Field(replace=True, computed=True),
        "vpcSecurityGroupIds": Field(kind="set", computed=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [
            *super().check(inputs),
            *refused(inputs, UNSUPPORTED),
            *one_of(inputs, "engine", ("postgres",)),
            *one_of(inputs, "monitoringInterval", (0, 1, 5, 10, 15, 30, 60)),
            *one_of(inputs, "storageType", ("standard", "gp2", "gp3", "io1", "io2")),
            *between(inputs, "backupRetentionPeriod", 0, 35),
        ]
        problems += [(name, "is missing") for name in ("allocatedStorage", "engine", "username") if name not in inputs]
        if not inputs.get("manageMasterUserPassword"):
            problems.append(("manageMasterUserPassword", "is not set: set it, so that no password is in the state"))
        for name in ("performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod"):
            if name in inputs and not inputs.get("performanceInsightsEnabled"):
                problems.append((name, "needs Performance Insights: set performanceInsightsEnabled"))
        name = inputs.get("finalSnapshotIdentifier")
        if isinstance(name, str) and not re.fullmatch(r"[A-Za-z](-?[0-9A-Za-z])*", name):
            fix = "begin with a letter, use letters, digits and single hyphens, end without one"
            problems.append(("finalSnapshotIdentifier", f"is {name!r}: {fix}"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        instance = self.client(aws, inputs).create_db_instance(
            DBInstanceIdentifier=inputs["identifier"],
            Tags=to_pairs(inputs.get("tags")),
            **{"BackupRetentionPeriod": 0, **_arguments(inputs, {**FIXED, **CHANGEABLE, **SENT})},
            **present(Port=inputs.get("port"), EnableCloudwatchLogsExports=inputs.get("enabledCloudwatchLogsExports")),
        )["DBInstance"]
        id = str(instance["DbiResourceId"])
        aws.created(id)
        self._wait(aws, id, inputs, READY)
        return id

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        live = self._find(aws, id, inputs)
        secret, endpoint = live.get("MasterUserSecret"), live.get("Endpoint", {})
        address, port = endpoint.get("Address", ""), endpoint.get("Port")
        tags = self.tags(self.client(aws, inputs), live["DBInstanceArn"])
        return {
            "address": address,
            "arn": live["DBInstanceArn"],
            "endpoint": f"{address}:{port}" if address else "",
            "engineVersionActual": live["EngineVersion"],
            "hostedZoneId": endpoint.get("HostedZoneId", ""),
            "identifier": live["DBInstanceIdentifier"],
            "listenerEndpoints": [],
            "masterUserSecrets": [
                present(
                    secretArn=secret.get("SecretArn"),
                    kmsKeyId=secret.get("KmsKeyId"),
                    secretStatus=secret.get("SecretStatus"),
                )
            ]
            if secret
            else [],
            "region": self.region(aws, inputs),
            "replicas": live.get("ReadReplicaDBInstanceIdentifiers", []),
            "resourceId": live["DbiResourceId"],
            "status": live["DBInstanceStatus"],
            **present(**{name: live.get(key) for name, key in {**FIXED, **CHANGEABLE}.items()}, tags=tags),
            **present(**_special(live)),
            **_worded(inputs, live),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        rds, live = self.client(aws, new), self._find(aws, id, new)
        arguments = _arguments({k: new.get(k) for k in changed}, {**CHANGEABLE, **SENT})
        # A switch that is left out again returns to its default.
        defaults = {name: self.fields[name].default for name in changed - new.keys()}
        arguments |= _arguments(defaults, {**CHANGEABLE, **SENT})
        if arguments.get("MaxAllocatedStorage") == 0:
            arguments["MaxAllocatedStorage"] = new.get("allocatedStorage")  # this value turns off automatic growth
        if "port" in changed and new.get("port"):
            arguments["DBPortNumber"] = new["port"]
        if "identifier" in changed:
            arguments["NewDBInstanceIdentifier"] = new["identifier"]
        if "engineVersion" in changed:
            arguments["AllowMajorVersionUpgrade"] = new.get("allowMajorVersionUpgrade", False)
        if "enabledCloudwatchLogsExports" in changed:
            before = set(live.get("EnabledCloudwatchLogsExports", []))
            after = set(new.get("enabledCloudwatchLogsExports") or [])
            arguments["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(after - before),
                "DisableLogTypes": sorted(before - after),
            }
        if arguments:
            rds.modify_db_instance(
                DBInstanceIdentifier=live["DBInstanceIdentifier"],
                ApplyImmediately=new.get("applyImmediately", False),
                **arguments,
            )
            self._wait(aws, id, new, READY)
        if "tags" in changed:
            self.retag(rds, self._find(aws, id, new)["DBInstanceArn"], old, new)

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        identifier = self._find(aws, id, state)["DBInstanceIdentifier"]
        arguments: dict[str, Any] = {"SkipFinalSnapshot": bool(state.get("skipFinalSnapshot"))}
        if not state.get("skipFinalSnapshot"):
            if not state.get("finalSnapshotIdentifier"):
                raise ValueError("final_snapshot_identifier is required when skip_final_snapshot is false")
            arguments["FinalDBSnapshotIdentifier"] = state["finalSnapshotIdentifier"]
        with missing(*GONE):
            self.client(aws, state).delete_db_instance(
                DBInstanceIdentifier=identifier,
                DeleteAutomatedBackups=state.get("deleteAutomatedBackups", True),
                **arguments,
            )
        self._wait(aws, id, state, ("deleted",))

    def _find(self, aws: Aws, id: str, props: Props) -> dict[str, Any]:
        """Find it by resource id, which outlives a change of the identifier; `pulumi import` gives the identifier."""
        named = RESOURCE_ID.fullmatch(id) is None
        by_id: dict[str, Any] = {"Filters": [{"Name": "dbi-resource-id", "Values": [id]}]}
        with missing(*GONE):
            found = self.client(aws, props).describe_db_instances(**({"DBInstanceIdentifier": id} if named else by_id))
        if not found["DBInstances"]:
            raise NotFoundError(f"DB instance {id}")
        return found["DBInstances"][0]

    def _wait(self, aws: Aws, id: str, props: Props, wanted: tuple[str, ...]) -> None:
        what = f"DB instance {props.get('identifier', id)}"
        failed = () if "deleted" in wanted else BROKEN
        wait_until(
            what,
            lambda: self._status(aws, id, props),
            wanted,
            timeout=aws.timeout,
            failed=failed,
            progress=aws.progress,
        )

    def _status(self, aws: Aws, id: str, props: Props) -> str:
        try:
            return str(self._find(aws, id, props)["DBInstanceStatus"])
        except NotFoundError:
            return "deleted"


def _arguments(inputs: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {key: inputs[name] for name, key in names.items() if inputs.get(name) is not None}


def _special(live: Mapping[str, Any]) -> Props:
    return {
        "dbSubnetGroupName": live.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
        "enabledCloudwatchLogsExports": live.get("EnabledCloudwatchLogsExports"),
        "iamDatabaseAuthenticationEnabled": live.get("IAMDatabaseAuthenticationEnabled", False),
        "manageMasterUserPassword": True if live.get("MasterUserSecret") else None,
        "masterUserSecretKmsKeyId": live.get("MasterUserSecret", {}).get("KmsKeyId"),
        "optionGroupName": next((g["OptionGroupName"] for g in live.get("OptionGroupMemberships", [])), None),
        "parameterGroupName": next((g["DBParameterGroupName"] for g in live.get("DBParameterGroups", [])), None),
        "performanceInsightsEnabled": live.get("PerformanceInsightsEnabled", False),
        "port": live.get("Endpoint", {}).get("Port"),
        "vpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in live.get("VpcSecurityGroups", [])],
    }


def _worded(inputs: Props, live: Mapping[str, Any]) -> Props:
    """Return live values with the same meaning as the inputs, in the inputs' notation."""
    words: Props = {}
    version, window = inputs.get("engineVersion"), inputs.get("maintenanceWindow")
    if version and str(live["EngineVersion"]).startswith(f"{version}."):
        words["engineVersion"] = version  # the input may name a major version only
    if window and str(window).lower() == live.get("PreferredMaintenanceWindow"):
        words["maintenanceWindow"] = window
    wanted, most = inputs.get("allocatedStorage"), inputs.get("maxAllocatedStorage")
    if wanted and most and wanted < live.get("AllocatedStorage", 0) <= most:
        words["allocatedStorage"] = wanted  # RDS grew the storage, as configured
    key, secret = inputs.get("masterUserSecretKmsKeyId"), live.get("MasterUserSecret", {}).get("KmsKeyId", "")
    if key and secret.endswith(f"/{key}"):
        words["masterUserSecretKmsKeyId"] = key
    return words


HANDLERS: list[Handler] = [Instance()]

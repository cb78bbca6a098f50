"""PostgreSQL database of MLflow: encrypted, TLS only, reachable from named security groups only, password kept by RDS.

Stateful: callers decide `protect`; `deletion_protection` and a final snapshot protect it on the AWS side as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.database.arguments import DatabaseArgs

PORT = 5432
DATABASE_NAME = "mlflow"
USER_NAME = "mlflow"
LOG_EXPORTS = ("postgresql", "upgrade")

# All of these are dynamic parameters: PostgreSQL applies them without a restart.
PARAMETERS: Mapping[str, str] = {
    "rds.force_ssl": "1",
    "log_connections": "1",
    "log_disconnections": "1",
    "log_lock_waits": "1",
    "log_min_duration_statement": "1000",
    # `ddl` logs statements that change the schema; `mod` and `all` would write tracked data into the log.
    "log_statement": "ddl",
    "log_temp_files": "10240",
}


@dataclass(frozen=True, kw_only=True)
class DatabaseHandle:
    """Connection data of the database.

    Clients add an ingress rule for their own security group to the database's, and read the password from the secret.
    """

    address: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]


class Database(pulumi.ComponentResource):
    handle: DatabaseHandle

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Database", name, {}, opts)
        self._logical_name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

        self._group_id = self._security_group()
        instance = self._instance(self._log_groups())
        self.handle = DatabaseHandle(
            address=instance.address,
            endpoint=instance.endpoint,
            master_secret_arn=instance.master_user_secrets.apply(_master_secret_arn),
            security_group_id=self._group_id,
        )
        self.register_outputs({})

    def _security_group(self) -> pulumi.Output[str]:
        """Create the security group without rules.

        The database only answers and opens no connections. Each client adds its own ingress rule.
        """
        group = aws.ec2.SecurityGroup(
            f"{self._logical_name}-clients",
            description="MLflow database: PostgreSQL from named security groups only",
            vpc_id=self._args.vpc_id,
            tags={"Name": self._args.identifier},
            opts=self._child,
        )
        return group.id

    def _log_groups(self) -> list[aws.cloudwatch.LogGroup]:
        """Create the log groups.

        RDS would create them itself, but without encryption key and with unlimited retention.
        """
        return [
            aws.cloudwatch.LogGroup(
                f"{self._logical_name}-log-{export}",
                name=f"/aws/rds/instance/{self._args.identifier}/{export}",
                retention_in_days=self._args.spec.log_retention_days,
                kms_key_id=self._args.logs_key_arn,
                opts=self._child,
            )
            for export in LOG_EXPORTS
        ]

    def _instance(self, log_groups: list[aws.cloudwatch.LogGroup]) -> aws.rds.Instance:
        args, spec = self._args, self._args.spec
        subnet_group = aws.rds.SubnetGroup(
            f"{self._logical_name}-subnets",
            description=f"Subnets of {args.identifier}",
            subnet_ids=list(args.subnet_ids),
            tags={"Name": args.identifier},
            opts=self._child,
        )
        parameter_group = aws.rds.ParameterGroup(
            f"{self._logical_name}-parameters",
            description=f"Parameters of {args.identifier}: TLS forced, connections and slow statements logged",
            family=spec.family,
            parameters=[
                {"name": parameter, "value": value, "apply_method": "immediate"}
                for parameter, value in PARAMETERS.items()
            ],
            tags={"Name": args.identifier},
            # It contains no data. A new major version needs a new one, and protection would prevent the replacement.
            opts=pulumi.ResourceOptions(parent=self, protect=False),
        )
        return aws.rds.Instance(
            f"{self._logical_name}-instance",
            identifier=args.identifier,
            engine="postgres",
            engine_version=spec.engine_version,
            # The version is exact: AWS's upgrade would show as drift, and the program would try to revert it.
            auto_minor_version_upgrade=False,
            instance_class=spec.instance_class,
            db_name=DATABASE_NAME,
            port=PORT,
            username=USER_NAME,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=args.secret_key_arn,
            iam_database_authentication_enabled=True,
            storage_type="gp3",
            allocated_storage=spec.allocated_storage_gb,
            max_allocated_storage=spec.max_storage_gb,
            storage_encrypted=True,
            kms_key_id=args.storage_key_arn,
            multi_az=spec.multi_az,
            db_subnet_group_name=subnet_group.name,
            vpc_security_group_ids=[self._group_id],
            publicly_accessible=False,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            parameter_group_name=parameter_group.name,
            backup_retention_period=spec.backup_days,
            backup_window="03:00-04:00",
            maintenance_window="sun:04:30-sun:05:30",
            copy_tags_to_snapshot=True,
            delete_automated_backups=spec.skip_final_snapshot,
            apply_immediately=spec.apply_immediately,
            deletion_protection=spec.deletion_protection,
            skip_final_snapshot=spec.skip_final_snapshot,
            final_snapshot_identifier=None if spec.skip_final_snapshot else f"{args.identifier}-final",
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args.storage_key_arn,
            performance_insights_retention_period=7,
            enabled_cloudwatch_logs_exports=list(LOG_EXPORTS),
            tags={"Name": args.identifier},
            # The log export starts with the instance and creates missing log groups outside the program.
            opts=pulumi.ResourceOptions(parent=self, depends_on=log_groups),
        )


def _master_secret_arn(secrets: Sequence[aws.rds.outputs.InstanceMasterUserSecret] | None) -> str:
    if not secrets or not secrets[0].secret_arn:
        raise ValueError("the database has no master user secret: is `manage_master_user_password` still on?")
    return secrets[0].secret_arn

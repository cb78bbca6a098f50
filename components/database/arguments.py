"""Arguments of the MLflow database, validated against the values that AWS accepts before any AWS call."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.log_retention import RETENTION_DAYS
from components.naming import check_prefix, check_range


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    prefix: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    storage_key_arn: pulumi.Input[str]
    secret_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    instance_class: str
    engine_version: str
    allocated_gib: int = 20
    max_allocated_gib: int = 100
    backup_days: int = 7
    log_retention_days: int = 30
    multi_az: bool = False
    apply_immediately: bool = False
    deletion_protection: bool = True
    final_snapshot: bool = True

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if len(self.subnet_ids) < 2:
            raise ValueError(f"subnet_ids must name subnets of at least two zones, got {len(self.subnet_ids)}")
        if not re.fullmatch(r"db\.[a-z0-9]+\.[a-z0-9]+", self.instance_class):
            raise ValueError(f"instance_class must look like 'db.t4g.medium', got {self.instance_class!r}")
        if not re.fullmatch(r"1[4-9](?:\.\d+)?", self.engine_version):
            raise ValueError(
                f"engine_version must be PostgreSQL 14 or newer, such as '15.18' (upgrades are made here) or '15' "
                f"(AWS installs minor upgrades), got {self.engine_version!r}"
            )
        check_range("allocated_gib", self.allocated_gib, 20, 65_536, "GiB")
        if self.max_allocated_gib <= self.allocated_gib:
            raise ValueError(
                f"max_allocated_gib must be more than allocated_gib ({self.allocated_gib}) so that storage can grow, "
                f"got {self.max_allocated_gib}"
            )
        check_range("backup_days", self.backup_days, 1, 35)
        if self.log_retention_days not in RETENTION_DAYS:
            raise ValueError(
                f"log_retention_days must be one of {', '.join(map(str, RETENTION_DAYS))}, "
                f"got {self.log_retention_days}"
            )

    @property
    def identifier(self) -> str:
        """Return the fixed identifier.

        RDS derives the names of its log groups from it, and the program creates the log groups before the instance.
        """
        return f"{self.prefix}-mlflow"

    @property
    def family(self) -> str:
        return f"postgres{self.engine_version.partition('.')[0]}"

    @property
    def minor_upgrades_by_aws(self) -> bool:
        """Return whether AWS performs minor upgrades: only if `engine_version` names no minor version.

        An upgrade of a pinned minor version by AWS would show as drift, and the program would try to revert it.
        """
        return "." not in self.engine_version

"""Arguments of the MLflow database, validated before any AWS call."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.database.spec import DatabaseSpec
from components.naming import check_prefix


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """Section `database` of the stack file, and the values of other components that the database needs."""

    spec: DatabaseSpec
    prefix: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    storage_key_arn: pulumi.Input[str]
    secret_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if len(self.subnet_ids) < 2:
            raise ValueError(f"subnet_ids must name subnets of at least two zones, got {len(self.subnet_ids)}")

    @property
    def identifier(self) -> str:
        """Return the fixed identifier.

        RDS derives the names of its log groups from it, and the program creates the log groups before the instance.
        """
        return f"{self.prefix}-mlflow"

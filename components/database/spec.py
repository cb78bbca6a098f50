"""Section `database`: the PostgreSQL instance that stores MLflow's tracking data and model registry."""

import re
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from components.instance_families import check_database_class
from components.log_retention import RetentionDays
from validation.base import Allowed, Problem, Section, refuse

# https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
MAJOR_VERSIONS = (14, 15, 16, 17, 18)


def engine_version(text: str) -> str:
    found = re.fullmatch(r"(\d+)\.\d+", text)
    if not found or int(found[1]) not in MAJOR_VERSIONS:
        majors = ", ".join(str(major) for major in MAJOR_VERSIONS)
        raise ValueError(f'write major and minor version in quotes, such as "16.14", with a major of {majors}')
    return text


class DatabaseSpec(Section):
    engine_version: Annotated[str, AfterValidator(engine_version), Allowed("PostgreSQL version with minor")]
    """PostgreSQL version with an exact minor, so that upgrades are reviewed."""
    instance_class: Annotated[str, AfterValidator(check_database_class), Allowed("db.<family>.<size>")]
    """Instance class. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.html"""
    allocated_storage_gb: int = Field(default=20, ge=20, le=65536)
    """Initial storage. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html (gp3)"""
    max_storage_gb: int = Field(default=100, ge=22, le=65536)
    """Limit of automatic storage growth."""
    multi_az: bool = False
    """If true, a standby in a second zone takes over when the first fails."""
    backup_days: int = Field(default=7, ge=1, le=35)
    """Days that point-in-time recovery covers; RDS allows 35."""
    apply_immediately: bool = False
    """If true, changes apply immediately instead of in the maintenance window; some restart the database."""
    deletion_protection: bool = True
    """If true, RDS itself rejects the deletion of the instance."""
    skip_final_snapshot: bool = False
    """If true, a deletion leaves no snapshot behind."""
    log_retention_days: RetentionDays = 30
    """Retention of the server's logs in CloudWatch in days."""

    @property
    def family(self) -> str:
        """Return the family of parameter groups, which has one name per major version."""
        return f"postgres{self.engine_version.partition('.')[0]}"

    @model_validator(mode="after")
    def storage_can_grow(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        """Yield problems with the storage limit: storage autoscaling needs at least 10% above the initial storage.

        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
        """
        least = -(-self.allocated_storage_gb * 110 // 100)
        if self.max_storage_gb < least:
            fix = f"write {least} or more, RDS wants 10% above allocated_storage_gb"
            yield Problem(field="max_storage_gb", value=self.max_storage_gb, fix=fix)

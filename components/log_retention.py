"""Retention periods that CloudWatch Logs accepts.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from validation.base import Allowed

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def _allowed_period(days: int) -> int:
    if days not in RETENTION_DAYS:
        nearest = min(RETENTION_DAYS, key=lambda allowed: abs(allowed - days))
        raise ValueError(f"CloudWatch keeps logs for fixed periods only, write {nearest}")
    return days


# Days; the type of every setting that a log group takes.
RetentionDays = Annotated[
    int,
    AfterValidator(_allowed_period),
    Allowed("a period that CloudWatch Logs allows"),
    Field(json_schema_extra={"enum": [*RETENTION_DAYS]}),
]

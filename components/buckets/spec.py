"""Settings of the buckets: section `buckets` of a stack file.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
"""

from pydantic import Field

from validation.base import Section


class BucketSpec(Section):
    force_destroy: bool = False
    """If true, destroying the environment also deletes the objects."""
    noncurrent_days: int = Field(default=90, ge=1, le=3650)
    """Days after which S3 removes overwritten and deleted versions of objects."""
    infrequent_access_days: int = Field(default=60, ge=30, le=3650)
    """Days after which objects move to cheaper storage; S3 requires at least 30."""
    access_log_days: int = Field(default=365, ge=1, le=3650)
    """Retention of access logs in days."""

"""Buckets. https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html"""

from pydantic import Field

from validation.base import Section


class BucketSettings(Section):
    force_destroy: bool = False
    """Whether destroying the environment deletes the objects too."""
    noncurrent_days: int = Field(default=90, ge=1, le=3650)
    """Days after which overwritten and deleted versions of objects are removed."""
    infrequent_access_days: int = Field(default=60, ge=30, le=3650)
    """Days after which objects move to cheaper storage; S3 asks for at least 30."""
    access_log_days: int = Field(default=365, ge=1, le=3650)
    """How long access logs are kept."""

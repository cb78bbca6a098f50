"""Names of what a project becomes, in one place: the program makes them, the command line looks for them."""

from typing import Final

TRAINING: Final = "training"
"""The service account, the CronJob, and the container of training pods."""

SERVING: Final = "serving"
"""The service account, the Deployment, its Service, autoscaler and disruption budget, and the container."""

NO_SCHEDULE: Final = "0 0 1 1 *"
"""What the CronJob of a project without a schedule says: Kubernetes wants one. It is suspended."""

SERVING_PORT: Final = 8080
PROMOTION_LEASE: Final = "promotion"

TRAINED, STAGING, PRODUCTION = "dev", "staging", "production"
ALIASES: Final = (TRAINED, STAGING, PRODUCTION)
"""What a version passes on its way, first to last: training gives the first, and the last one is served."""


def data_prefix(project: str) -> str:
    """Of the project's objects in the data lake."""
    return f"projects/{project}/"


def repository(project: str) -> str:
    """In ECR, without the environment's prefix."""
    return f"projects/{project}"


def secret(project: str, name: str) -> str:
    """One of the project's own secrets, which its team fills; without the environment's prefix."""
    return f"projects/{project}/{name}"


def secret_variable(name: str) -> str:
    """The environment variable that tells pods the ARN of one of the project's secrets."""
    return f"SECRET_{name.upper().replace('-', '_')}"

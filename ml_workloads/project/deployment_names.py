"""Names of what a project becomes, in one place: the program makes them, the command line looks for them."""

from typing import Final

TRAINING: Final = "training"
"""The CronJob whose Jobs are a project's training runs, and their label; each runs a conductor's pod."""

CONDUCTOR: Final = "conductor"
"""The service account, the container and the label of pods that conduct a run, without the project's code."""

FIT: Final = "fit"
"""The service account, the container and the label of pods that train; the CronJob that they are made from."""

WORKER: Final = "worker"
"""The same of pods that run the project's code without any rights, for the conductor."""

SERVING: Final = "serving"
"""The service account, the Deployment, its Service, autoscaler and disruption budget, and the container."""

NO_SCHEDULE: Final = "0 0 1 1 *"
"""What a CronJob says that never runs by itself: Kubernetes wants a schedule. It is suspended."""

SERVING_PORT: Final = 8080
WORKER_PORT: Final = 8081
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

"""Names of a project's deployed resources, in one place: the program creates them, the command line looks them up."""

from typing import Final

TRAINING: Final = "training"
"""The CronJob whose Jobs are a project's training runs, and their label. Each Job runs a conductor pod."""

CONDUCTOR: Final = "conductor"
"""The service account, the container and the label of pods that conduct a run. They do not run the project's code."""

FIT: Final = "fit"
"""The service account, the container and the label of pods that train, and the CronJob that is their template."""

WORKER: Final = "worker"
"""The same names for pods that run the project's code without any permissions, for the conductor."""

SERVING: Final = "serving"
"""The service account, the Deployment, its Service, autoscaler and disruption budget, and the container."""

NO_SCHEDULE: Final = "0 0 1 1 *"
"""Schedule of a CronJob that never runs by itself. Kubernetes requires a schedule; the CronJob is suspended."""

SERVING_PORT: Final = 8080
WORKER_PORT: Final = 8081
PROMOTION_LEASE: Final = "promotion"

TRAINED, STAGING, PRODUCTION = "dev", "staging", "production"
ALIASES: Final = (TRAINED, STAGING, PRODUCTION)
"""Stages of a model version, first to last. Training sets the first alias, and the last one is served."""


def data_prefix(project: str) -> str:
    """Return the prefix of the project's objects in the data lake."""
    return f"projects/{project}/"


def repository(project: str) -> str:
    """Return the project's repository in ECR, without the environment's prefix."""
    return f"projects/{project}"


def secret(project: str, name: str) -> str:
    """Return the name of one of the project's own secrets, which its team fills, without the environment's prefix."""
    return f"projects/{project}/{name}"


def secret_variable(name: str) -> str:
    """Return the environment variable that holds the ARN of one of the project's secrets."""
    return f"SECRET_{name.upper().replace('-', '_')}"

"""MLflow's server. https://mlflow.org/docs/latest/self-hosting/architecture/tracking-server/"""

from pydantic import Field

from validation.base import Section


class MlflowSettings(Section):
    replicas: int = Field(default=1, ge=1, le=10)
    """Pods of the server. From 2 on, it outlives the loss of a node."""
    workers: int = Field(default=1, ge=1, le=8)
    """Processes of each pod; each takes about half a gigabyte."""

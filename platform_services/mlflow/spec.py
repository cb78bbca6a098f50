"""Section `mlflow`: the MLflow server. https://mlflow.org/docs/latest/self-hosting/architecture/tracking-server/"""

from pydantic import Field

from validation.base import Section


class MlflowSpec(Section):
    replicas: int = Field(default=1, ge=1, le=10)
    """Number of server pods. With 2 or more, the server survives the loss of a node."""
    workers: int = Field(default=1, ge=1, le=8)
    """Worker processes per pod; each takes about half a gigabyte."""

"""Source files that the image of MLflow's server is built from."""

from pathlib import PurePosixPath

from components.images.sources import ImageSource

MLFLOW_IMAGE = ImageSource(
    dockerfile=PurePosixPath("platform_services/mlflow/image/Dockerfile"),
    paths=(PurePosixPath("platform_services/mlflow/image"),),
    left_out=frozenset({"requirements.in"}),
)

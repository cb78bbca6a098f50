"""Images of an environment that are built from this repository, and their sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.images.sources import MLFLOW_REPOSITORY, RUNTIME_REPOSITORY, ImageSource
from mlp.environments import ROOT
from mlp.projects.environment import PROJECTS, Environment, all_projects


@dataclass(frozen=True, kw_only=True)
class WantedImage:
    """Image that an environment needs.

    `repository` is the name in ECR with the environment's prefix; `registry` is the account's registry in its region.
    """

    registry: str
    repository: str
    tag: str
    source: ImageSource

    @property
    def reference(self) -> str:
        """Return the reference that pods use."""
        return f"{self.registry}/{self.repository}:{self.tag}"


def registry_host(account: str, region: str) -> str:
    """Return the host name of the account's registry.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
    """
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{domain}"


def wanted_images(
    environment: Environment, account: str, root: Path = ROOT, projects: Path = PROJECTS
) -> tuple[WantedImage, ...]:
    """Return the images of the platform, then those of the projects that are deployed there.

    Raises:
        SettingsError: a project file is invalid.
    """
    from ml_workloads.project.deployment_names import repository
    from ml_workloads.project.image import RUNTIME_IMAGE, project_image
    from platform_services.mlflow.image_source import MLFLOW_IMAGE

    sources = {
        f"{environment.prefix}/{MLFLOW_REPOSITORY}": MLFLOW_IMAGE,
        f"{environment.prefix}/{RUNTIME_REPOSITORY}": RUNTIME_IMAGE,
    }
    for project in all_projects(projects):
        if environment.name in project.environments:
            sources[f"{environment.prefix}/{repository(project.name)}"] = project_image(project)
    host = registry_host(account, environment.region)
    return tuple(
        WantedImage(registry=host, repository=name, tag=source.tag(root), source=source)
        for name, source in sources.items()
    )

"""One environment: four layers, each of which takes the handles of the layers below it."""

from __future__ import annotations

import pulumi

from components.images.sources import ROOT
from ml_workloads.deployment import Workloads, WorkloadsArgs
from ml_workloads.project import Project
from ml_workloads.project.deployment_names import repository
from ml_workloads.project.neighbours import conflicts
from platform_services.platform import Platform
from stacks.cluster import ClusterLayer, ClusterLayerArgs
from stacks.foundation import Foundation, FoundationArgs
from stacks.platform import platform_args
from stacks.providers import kubernetes_provider
from stacks.settings import PlatformSettings


def refuse_conflicts(settings: PlatformSettings, projects: tuple[Project, ...]) -> None:
    """Raise RunError for names of projects that collide with each other or with the environment's teams."""
    teams = {name: team.namespaces for name, team in settings.cluster.teams.items()}
    problems = list(conflicts(projects, teams, settings.registry.repositories))
    if problems:
        raise pulumi.RunError("\n".join(problems))


class Environment(pulumi.ComponentResource):
    """Foundation, cluster, platform and workloads of one environment.

    Attributes:
        exports: Outputs of the stack: addresses and names, no secret.
    """

    exports: dict[str, pulumi.Input[object]]

    def __init__(
        self,
        name: str,
        settings: PlatformSettings,
        projects: tuple[Project, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Deploy an environment.

        Args:
            name: Logical name of the component.
            settings: Settings of the environment.
            projects: All projects of the repository; those that name the environment are deployed.
            opts: Options of the component; the AWS provider among them.

        Raises:
            pulumi.RunError: names collide, or a project cannot run in the environment.
        """
        refuse_conflicts(settings, projects)
        super().__init__("mlops:index:Environment", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        prefix = f"{pulumi.get_project()}-{settings.environment}"
        here = tuple(each for each in projects if settings.environment in each.environments)

        repositories = tuple(repository(each.name) for each in here)
        foundation = Foundation(
            "foundation", FoundationArgs(settings=settings, prefix=prefix, repositories=repositories), child
        )
        cluster = ClusterLayer(
            "eks",
            ClusterLayerArgs(
                settings=settings,
                foundation=foundation.handle,
                project_namespaces=tuple(each.namespace for each in here),
                after=(foundation.network,),
            ),
            child,
        )
        kubernetes = kubernetes_provider(cluster.handle, cluster.ready, self)
        on_cluster = pulumi.ResourceOptions(parent=self, providers=[kubernetes])
        platform = Platform("platform", platform_args(settings, foundation.handle, cluster.handle), on_cluster)
        workloads = Workloads(
            "workloads",
            WorkloadsArgs(platform=platform.handle, order=platform.order, projects=here, root=ROOT),
            on_cluster,
        )
        self.exports = {
            "environment": settings.environment,
            "region": settings.region,
            **foundation.exports,
            **cluster.exports,
            **platform.exports,
            **workloads.exports,
        }
        self.register_outputs(self.exports)

"""Deployment of all projects of one environment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from components.accelerators import NO_ACCELERATOR
from components.eks.access import PLATFORM
from components.eks.arguments import NodePool
from components.eks.pool_spec import NodePoolSpec
from components.images.presence import BuiltImage, image_hooks
from components.images.sources import RUNTIME_REPOSITORY
from components.naming import slug
from ml_workloads.deployment.access import TeamAccess, TeamAccessArgs, groups_of
from ml_workloads.deployment.arguments import RuntimeImage
from ml_workloads.deployment.project import ProjectWorkload, ProjectWorkloadArgs, WorkloadHandle
from ml_workloads.deployment.quotas import too_long
from ml_workloads.project import Project
from ml_workloads.project.image import RUNTIME_IMAGE
from ml_workloads.project.training import AcceleratorSettings
from platform_services.handles import PlatformHandle, PlatformOrder
from platform_services.mlflow.accounts import MlflowAccounts, MlflowAccountsArgs
from platform_services.mlflow.iam_policies import account_secrets


@dataclass(frozen=True, kw_only=True)
class WorkloadsArgs:
    """Arguments of the workloads layer.

    Attributes:
        platform: Handle of the layer below.
        projects: Projects of the environment.
        root: Folder of the repository.
        order: Resources of the platform that workloads wait for.
    """

    platform: PlatformHandle
    projects: tuple[Project, ...]
    root: Path
    order: PlatformOrder = field(default_factory=PlatformOrder, repr=False)


def impossible(projects: Iterable[Project], environment: str, pools: Sequence[NodePool]) -> Iterator[str]:
    """Yield a message for each project whose training pod would stay pending for ever.

    No node has enough of its accelerator or EFA interfaces.
    """
    specs = [pool.spec for pool in pools]
    offered: dict[str, int] = {}
    for spec in specs:
        if spec.accelerator != NO_ACCELERATOR:
            offered[spec.accelerator] = max(spec.devices, offered.get(spec.accelerator, 0))
    known = ", ".join(f"{name} (up to {count} in a node)" for name, count in sorted(offered.items()))
    for project in projects:
        wanted = project.training.accelerator
        if wanted and offered.get(wanted.type, 0) < wanted.count:
            there = f"write one of {known}" if known else "leave training.accelerator out"
            yield (
                f"project {project.name}: training.accelerator: {environment} has no pool with {wanted.count} "
                f"{wanted.type} in a node; {there}, add such a pool to the environment's settings, or take "
                f"{environment} out of the project's environments"
            )
        interfaces = max((spec.efa_interfaces for spec in specs if _has(spec, wanted)), default=0)
        if project.training.efa > interfaces and (wanted is None or offered.get(wanted.type, 0) >= wanted.count):
            yield (
                f"project {project.name}: training.efa: {environment} has no pool with {project.training.efa} EFA "
                f"interfaces in a node{f' beside {wanted.count} {wanted.type}' if wanted else ''}, at the most "
                f"{interfaces}; write efa: true in the settings of such a pool, or ask for fewer"
            )


def _has(spec: NodePoolSpec, wanted: AcceleratorSettings | None) -> bool:
    """Return whether a training with this accelerator may run in the pool.

    A training without accelerator cannot run in pools with one, because of their taint.
    """
    return spec.accelerator == (wanted.type if wanted else NO_ACCELERATOR) and spec.devices >= (
        wanted.count if wanted else 0
    )


class Workloads(pulumi.ComponentResource):
    """All projects of one environment.

    The component ends the program before any resource is created if a project cannot run in this environment.
    """

    handles: Mapping[str, WorkloadHandle]

    def __init__(self, name: str, args: WorkloadsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Workloads", name, {}, opts)
        platform = args.platform
        problems = [
            *impossible(args.projects, platform.environment, platform.cluster.pools),
            *too_long(platform, args.projects),
        ]
        if problems:
            raise pulumi.RunError("\n".join(problems))
        self.handles = self._make(name, args, pulumi.ResourceOptions(parent=self))
        self.register_outputs(self.exports)

    def _make(self, name: str, args: WorkloadsArgs, child: pulumi.ResourceOptions) -> dict[str, WorkloadHandle]:
        # This runs without projects too, because the accounts of the last project have to be deleted.
        names = tuple(project.name for project in args.projects)
        accounts = MlflowAccounts(
            f"{name}-accounts", MlflowAccountsArgs(platform=args.platform, projects=names, order=args.order), child
        )
        runtime = self._runtime(args)
        handles = {
            project.name: ProjectWorkload(
                f"{name}-{project.name}",
                ProjectWorkloadArgs(
                    platform=args.platform,
                    project=project,
                    root=args.root,
                    runtime=runtime,
                    account_secret=accounts.secrets[project.name],
                    reader_secret=accounts.readers[project.name],
                    accounts_ready=accounts.ready,
                    admission=args.order.admission,
                ),
                child,
            ).handle
            for project in args.projects
        }
        self._people(name, args, accounts, handles, child)
        return handles

    def _runtime(self, args: WorkloadsArgs) -> RuntimeImage:
        """Return the image that conducts the training runs of all projects."""
        platform, tag = args.platform, RUNTIME_IMAGE.tag(args.root)
        repository = f"{platform.prefix}/{RUNTIME_REPOSITORY}"
        built = BuiltImage(environment=platform.environment, repository=repository, tag=tag)
        reference = pulumi.Output.format("{0}:{1}", platform.repository_urls[RUNTIME_REPOSITORY], tag)
        return RuntimeImage(reference=reference, hooks=image_hooks(built, self))

    def _people(
        self,
        name: str,
        args: WorkloadsArgs,
        accounts: MlflowAccounts,
        handles: Mapping[str, WorkloadHandle],
        child: pulumi.ResourceOptions,
    ) -> None:
        """Give the roles of the teams access to the secrets of their projects.

        The platform's team helps with all projects, but only a project's own team sets the values of its secrets. The
        role of the platform's team names the accounts by a pattern, because a list of all accounts would grow with the
        number of projects.
        """
        everybody = args.platform.account.scope.apply(lambda scope: account_secrets(scope, args.platform.prefix))
        for group, role in args.platform.cluster.group_roles.items():
            theirs = [each for each in args.projects if group in groups_of(each, args.platform.cluster.group_roles)]
            own = [handles[each.name] for each in theirs] if group != PLATFORM else []
            listed = [accounts.secrets[each.name].arn for each in theirs]
            if theirs:
                TeamAccess(
                    f"{name}-people-{slug(group)}",
                    TeamAccessArgs(
                        platform=args.platform,
                        role=role,
                        accounts=[everybody] if group == PLATFORM else listed,
                        filled=[arn for handle in own for arn in handle.secret_arns.values()],
                    ),
                    child,
                )

    @property
    def exports(self) -> dict[str, pulumi.Input[object]]:
        """Return the outputs of the stack: addresses and names by project, no secret."""
        return {"projects": {name: handle.exports for name, handle in self.handles.items()}}

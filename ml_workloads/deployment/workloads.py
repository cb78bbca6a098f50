"""All projects of one environment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.accelerators import NO_ACCELERATOR
from components.eks.access import PLATFORM
from components.eks.arguments import NodePool
from components.image_presence import BuiltImage, image_hooks
from components.images import RUNTIME_REPOSITORY
from components.naming import slug
from ml_workloads.deployment.arguments import RuntimeImage
from ml_workloads.deployment.people import People, PeopleArgs, groups_of
from ml_workloads.deployment.project import ProjectWorkload, ProjectWorkloadArgs, WorkloadHandle
from ml_workloads.deployment.quotas import too_long
from ml_workloads.project import Project
from ml_workloads.project.image import RUNTIME_IMAGE
from ml_workloads.project.training import AcceleratorSettings
from platform_services.handles import PlatformHandle
from platform_services.mlflow.accounts import MlflowAccounts, MlflowAccountsArgs
from platform_services.mlflow.rights import account_secrets


@dataclass(frozen=True, kw_only=True)
class WorkloadsArgs:
    """`projects` are all that there are, wherever they are deployed; `root` is the repository's folder."""

    platform: PlatformHandle
    projects: tuple[Project, ...]
    root: Path

    @property
    def deployed(self) -> tuple[Project, ...]:
        return tuple(project for project in self.projects if self.platform.environment in project.environments)


def impossible(projects: Iterable[Project], environment: str, pools: Sequence[NodePool]) -> Iterator[str]:
    """Projects whose training would wait for ever for a node with enough of its accelerator or EFA interfaces."""
    offered: dict[str, int] = {}
    for pool in pools:
        if pool.accelerator != NO_ACCELERATOR:
            offered[pool.accelerator] = max(pool.devices, offered.get(pool.accelerator, 0))
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
        interfaces = max((pool.efa_interfaces for pool in pools if _has(pool, wanted)), default=0)
        if project.training.efa > interfaces and (wanted is None or offered.get(wanted.type, 0) >= wanted.count):
            yield (
                f"project {project.name}: training.efa: {environment} has no pool with {project.training.efa} EFA "
                f"interfaces in a node{f' beside {wanted.count} {wanted.type}' if wanted else ''}, at the most "
                f"{interfaces}; write efa: true in the settings of such a pool, or ask for fewer"
            )


def _has(pool: NodePool, wanted: AcceleratorSettings | None) -> bool:
    """Whether training with this accelerator may run there; without one it is kept off by the taint of accelerators."""
    return pool.accelerator == (wanted.type if wanted else NO_ACCELERATOR) and pool.devices >= (
        wanted.count if wanted else 0
    )


class Workloads(pulumi.ComponentResource):
    """Ends the program before anything is made where a project cannot run in this environment."""

    handles: Mapping[str, WorkloadHandle]

    def __init__(self, name: str, args: WorkloadsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Workloads", name, {}, opts)
        platform = args.platform
        problems = [
            *impossible(args.deployed, platform.environment, platform.cluster.pools),
            *too_long(platform, args.deployed),
        ]
        if problems:
            raise pulumi.RunError("\n".join(problems))
        # The provider comes with the handle: AWS's is inherited like everywhere.
        child = pulumi.ResourceOptions(parent=self, providers=[platform.kubernetes])
        self.handles = self._make(name, args, child)
        self.register_outputs({})

    def _make(self, name: str, args: WorkloadsArgs, child: pulumi.ResourceOptions) -> dict[str, WorkloadHandle]:
        # Without projects too: the account of the last one has to go.
        names = tuple(project.name for project in args.deployed)
        accounts = MlflowAccounts(f"{name}-accounts", MlflowAccountsArgs(platform=args.platform, projects=names), child)
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
                ),
                child,
            ).handle
            for project in args.deployed
        }
        self._people(name, args, accounts, handles, child)
        return handles

    def _runtime(self, args: WorkloadsArgs) -> RuntimeImage:
        """What conducts the training runs of all projects."""
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
        """The platform's team helps with all projects; values of their secrets are their own teams' business.

        Its role names the accounts by a pattern, as they are all that there are: a list would grow with the projects.
        """
        everybody = args.platform.account.scope.apply(lambda scope: account_secrets(scope, args.platform.prefix))
        for group, role in args.platform.cluster.group_roles.items():
            theirs = [each for each in args.deployed if group in groups_of(each, args.platform.cluster.group_roles)]
            own = [handles[each.name] for each in theirs] if group != PLATFORM else []
            listed = [accounts.secrets[each.name].arn for each in theirs]
            if theirs:
                People(
                    f"{name}-people-{slug(group)}",
                    PeopleArgs(
                        platform=args.platform,
                        role=role,
                        accounts=[everybody] if group == PLATFORM else listed,
                        filled=[arn for handle in own for arn in handle.secret_arns.values()],
                    ),
                    child,
                )

    @property
    def exports(self) -> dict[str, object]:
        return {name: handle.exports for name, handle in self.handles.items()}

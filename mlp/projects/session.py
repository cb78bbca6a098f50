"""Session of a command on a deployed project: the caller's AWS account, the cluster, and the project's place."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mlp.console import PlainError, errors
from mlp.projects.environment import Environment, Place, find_place

if TYPE_CHECKING:
    from mlp.projects.aws_access import AwsAccess
    from mlp.projects.cluster_access import Cluster

ProjectArgument = Annotated[str, typer.Argument(help="Name of the project, as `mlp projects` lists it.")]


@dataclass(frozen=True, kw_only=True)
class Session:
    place: Place
    aws: AwsAccess
    cluster: Cluster

    @property
    def name(self) -> str:
        return self.place.project.name

    @property
    def namespace(self) -> str:
        return self.place.project.namespace

    @property
    def deploy(self) -> str:
        return self.place.environment.deploy

    def path(self, resource: str, name: str = "", api: str = "api/v1") -> str:
        """Return the API path of objects in the project's namespace, or of one of them."""
        return f"/{api}/namespaces/{self.namespace}/{resource}" + (f"/{name}" if name else "")

    def jobs(self, name: str = "") -> str:
        return self.path("jobs", name, "apis/batch/v1")

    def is_deployed(self) -> bool:
        return self.cluster.find(f"/api/v1/namespaces/{self.namespace}") is not None


@contextmanager
def signed_in(environment: Environment, role: str) -> Generator[tuple[AwsAccess, Cluster]]:
    """Sign in to the account and the environment's cluster."""
    from mlp.projects.aws_access import AwsAccess
    from mlp.projects.cluster_access import Cluster

    with errors.status(f"Signing in to {environment.cluster}"):
        aws = AwsAccess(environment)
        who = aws.caller
        cluster = Cluster(aws.cluster(), aws.token, who=who, role=role)
    with cluster:
        yield aws, cluster


@contextmanager
def opened(project: str, environment: str) -> Generator[Session]:
    """Open a session for a deployed project.

    Raises PlainError with the missing part and the command that creates it.
    """
    place = find_place(project, environment)
    with signed_in(place.environment, place.role) as (aws, cluster):
        session = Session(place=place, aws=aws, cluster=cluster)
        if not session.is_deployed():
            raise PlainError(f"{project} is not deployed in {environment} yet: {session.deploy}")
        yield session

"""Deployment of one project in one environment: namespace, network policies, image, secrets, training and serving."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pulumi

from components.images.presence import BuiltImage, image_hooks
from components.secrets import SecretHandle, Secrets, SecretsArgs, SecretSpec
from ml_workloads.deployment.access import Promoters, groups_of
from ml_workloads.deployment.arguments import PartArgs, RuntimeImage
from ml_workloads.deployment.namespace import ProjectNamespace
from ml_workloads.deployment.network_policies import ProjectNetworkPolicies
from ml_workloads.deployment.serving import Serving, address
from ml_workloads.deployment.training import Training
from ml_workloads.project import Project
from ml_workloads.project.deployment_names import repository, secret
from ml_workloads.project.image import project_image
from platform_services.handles import PlatformHandle


@dataclass(frozen=True, kw_only=True)
class WorkloadHandle:
    """Locations of a deployed project. `address` is that of its server, inside the cluster, if the project has one."""

    namespace: str
    repository_url: pulumi.Output[str]
    image: pulumi.Output[str]
    address: str | None
    secret_arns: Mapping[str, pulumi.Output[str]]

    @property
    def exports(self) -> dict[str, object]:
        return {
            "namespace": self.namespace,
            "repository_url": self.repository_url,
            "image": self.image,
            "address": self.address,
            "secret_arns": dict(self.secret_arns),
        }


@dataclass(frozen=True, kw_only=True)
class ProjectWorkloadArgs:
    """Arguments of `ProjectWorkload`.

    Attributes:
        platform: the platform that the project is deployed on.
        project: settings of the project.
        root: the repository's folder, from which the image's tag is computed.
        runtime: the platform's image, which conducts training runs.
        account_secret: secret of the project's MLflow account.
        reader_secret: secret of the account that pods which serve sign in with.
        accounts_ready: resource that completes when MLflow has the project's accounts, experiment and model.
    """

    platform: PlatformHandle
    project: Project
    root: Path
    runtime: RuntimeImage
    account_secret: SecretHandle
    reader_secret: SecretHandle
    accounts_ready: pulumi.Resource
    admission: tuple[pulumi.Resource, ...] = ()


class ProjectWorkload(pulumi.ComponentResource):
    """One project: namespace, network policies, secrets, training and, if `serving.online` is set, a server."""

    handle: WorkloadHandle

    def __init__(self, name: str, args: ProjectWorkloadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ProjectWorkload", name, {}, opts)
        project, platform = args.project, args.platform
        self._name, self._args = name, args
        child = pulumi.ResourceOptions(parent=self)
        # Secrets hold values that the team filled in. They cannot be recovered after a deletion.
        self._kept = pulumi.ResourceOptions(parent=self, protect=platform.retention.protect)

        namespace = ProjectNamespace(f"{name}-namespace", project, platform.cluster.version, args.admission, child)
        isolation = ProjectNetworkPolicies(f"{name}-network", project, platform, namespace.name, child)
        promoters = groups_of(project, platform.cluster.group_roles)
        if promoters:
            Promoters(f"{name}-promoters", promoters, namespace.name, child)
        url, secrets = platform.repository_urls[repository(project.name)], self._secrets()
        revision = project_image(project).tag(args.root)
        image = pulumi.Output.format("{0}:{1}", url, revision)
        part = PartArgs(
            project=project,
            platform=platform,
            namespace=namespace.name,
            image=image,
            image_hooks=self._image_hooks(revision),
            runtime=args.runtime,
            revision=revision,
            account_secret_arn=args.account_secret.arn,
            secret_arns=secrets,
            after=(*namespace.limits, *isolation.policies, args.accounts_ready),
        )
        Training(f"{name}-training", part, child)
        online = project.serving.online
        if online:
            serving = replace(part, account_secret_arn=args.reader_secret.arn)
            Serving(f"{name}-serving", serving, online, child)
        self.handle = WorkloadHandle(
            namespace=project.namespace,
            repository_url=url,
            image=image,
            address=address(project.namespace) if online else None,
            secret_arns=secrets,
        )
        self.register_outputs({})

    def _image_hooks(self, revision: str) -> pulumi.ResourceHookBinding:
        platform = self._args.platform
        name = f"{platform.prefix}/{repository(self._args.project.name)}"
        built = BuiltImage(environment=platform.environment, repository=name, tag=revision)
        return image_hooks(built, self)

    def _secrets(self) -> dict[str, pulumi.Output[str]]:
        """Create the project's own secrets and return their ARNs, by their names in `project.yaml`."""
        platform, project = self._args.platform, self._args.project
        if not project.secrets:
            return {}
        names = {name: secret(project.name, name) for name in project.secrets}
        made = Secrets(
            f"{self._name}-secrets",
            SecretsArgs(
                spec=SecretSpec(
                    names=tuple(names.values()), recovery_window_days=platform.retention.recovery_window_days
                ),
                account=platform.account,
                prefix=platform.prefix,
                key_arn=platform.secrets_key_arn,
            ),
            self._kept,
        )
        return {name: made.secrets[entry].arn for name, entry in names.items()}

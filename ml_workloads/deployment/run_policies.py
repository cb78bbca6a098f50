"""IAM policies of the pods of training runs and of servers, rendered from outputs of the deployment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.iam_documents import Scope
from ml_workloads.deployment.arguments import PartArgs
from ml_workloads.deployment.iam_policies import DataToRead, RunObjects, conductor_policy, fit_policy, serving_policy
from ml_workloads.project import Project
from ml_workloads.project.data import S3Source, SqlSource
from ml_workloads.project.deployment_names import data_prefix


@dataclass(frozen=True, kw_only=True)
class _Known:
    """Resolved outputs of the platform's resources."""

    project: Project
    scope: Scope
    secrets_key: str
    bucket: str
    data_key: str

    @property
    def runs(self) -> RunObjects:
        return RunObjects(project=self.project.name, bucket=self.bucket, key_arn=self.data_key)

    @property
    def data(self) -> DataToRead | None:
        """Return the location of the project's objects, if the project is trained on objects of S3."""
        if not isinstance(self.project.data.source, S3Source):
            return None
        return DataToRead(bucket=self.bucket, prefix=data_prefix(self.project.name), key_arn=self.data_key)


def own_secrets(project: Project) -> tuple[str, ...]:
    """Return the secrets for pods with the project's code: all except the one with the address of its data."""
    source = project.data.source
    return tuple(name for name in project.secrets if not isinstance(source, SqlSource) or name != source.secret)


def own_arns(args: PartArgs) -> Mapping[str, pulumi.Input[str]]:
    """Return the ARNs of the secrets in `own_secrets`, by their names."""
    return {name: args.secret_arns[name] for name in own_secrets(args.project)}


def policy_of_conductor(args: PartArgs) -> pulumi.Output[str]:
    """Return the policy of the project's conductors."""
    source = args.project.data.source
    address = [args.secret_arns[source.secret]] if isinstance(source, SqlSource) else []
    return _rendered(
        args,
        [args.account_secret_arn, *address],
        lambda known, arns: conductor_policy(known.scope, arns, known.secrets_key, known.runs, known.data),
    )


def policy_of_fit(args: PartArgs) -> pulumi.Output[str]:
    """Return the policy of the project's training pods."""
    return _rendered(
        args,
        list(own_arns(args).values()),
        lambda known, arns: fit_policy(known.scope, arns, known.secrets_key, known.runs),
    )


def policy_of_serving(args: PartArgs) -> pulumi.Output[str]:
    """Return the policy of the project's servers."""
    return _rendered(
        args,
        [args.account_secret_arn, *own_arns(args).values()],
        lambda known, arns: serving_policy(known.scope, arns, known.secrets_key),
    )


def _rendered(
    args: PartArgs, arns: Sequence[pulumi.Input[str]], render: Callable[[_Known, Sequence[str]], str]
) -> pulumi.Output[str]:
    platform, project = args.platform, args.project
    known = pulumi.Output.all(
        scope=platform.account.scope,
        secrets_key=platform.secrets_key_arn,
        bucket=platform.data_lake.name,
        data_key=platform.data_key_arn,
    ).apply(lambda found: _Known(project=project, **found))
    return pulumi.Output.all(known, pulumi.Output.all(*arns)).apply(lambda found: render(found[0], list(found[1])))

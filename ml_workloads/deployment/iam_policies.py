"""IAM policies of a project's pods and of the people who work on it. Pure functions.

The conductor of a training run reads the data and signs in at MLflow. Training pods, which run the project's code, may
do neither: they read the rows that the conductor leaves for them, and write a model. Servers sign in at MLflow. Only
the conductor reads a secret with the address of the data; pods with the project's code read the project's other
secrets. People sign in at MLflow with the project's account, and set the values of its secrets, which they need not
read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.data_policies import encrypt_secrets, keep_objects, read_objects, read_secrets, write_objects
from components.iam_documents import Scope, Statement, document
from ml_workloads.project.deployment_names import secret
from ml_workloads.runtime.handover import keys
from platform_services.mlflow.iam_policies import account_secrets


@dataclass(frozen=True, kw_only=True)
class DataToRead:
    """Location of data that pods may read.

    `prefix` ends with /, because otherwise it would also cover neighbours whose names begin with it.
    """

    bucket: str
    prefix: str
    key_arn: str

    def __post_init__(self) -> None:
        if not self.prefix.endswith("/"):
            raise ValueError(f"prefix must end with /, got {self.prefix!r}")


@dataclass(frozen=True, kw_only=True)
class RunObjects:
    """The bucket, and its key, through which the pods of a project's training runs exchange objects."""

    project: str
    bucket: str
    key_arn: str


def conductor_policy(
    scope: Scope, secrets: Sequence[str], secrets_key: str, runs: RunObjects, data: DataToRead | None = None
) -> str:
    """Return the policy of conductors. `secrets` are the MLflow account and the address of the data."""
    source = read_objects(scope, data.bucket, data.prefix, data.key_arn, "Source") if data else ()
    mine = keys.conductors(runs.project)
    return document(
        [
            *read_secrets(scope, secrets, secrets_key),
            *source,
            *keep_objects(scope, runs.bucket, f"{keys.RUNS}{runs.project}/", runs.key_arn, "Runs"),
            *keep_objects(scope, runs.bucket, mine, runs.key_arn, "Own"),
        ]
    )


def fit_policy(scope: Scope, secrets: Sequence[str], secrets_key: str, runs: RunObjects) -> str:
    """Return the policy of training pods.

    `secrets` are the ARNs of the project's secrets, except the secret with the address of the data.
    """
    bucket, key = runs.bucket, runs.key_arn
    return document(
        [
            *(read_secrets(scope, secrets, secrets_key) if secrets else ()),
            *read_objects(scope, bucket, keys.training_parts(runs.project), key, "Rows"),
            *write_objects(scope, bucket, keys.models(runs.project), key, "Models"),
            *keep_objects(scope, bucket, keys.checkpoints(runs.project), key, "Checkpoints"),
        ]
    )


def serving_policy(scope: Scope, secrets: Sequence[str], secrets_key: str) -> str:
    """Return the policy of servers. `secrets` are the MLflow account and the project's own secrets."""
    return document([*read_secrets(scope, secrets, secrets_key)])


def people_policy(
    scope: Scope, prefix: str, accounts: Sequence[str], secrets_key: str, filled: Sequence[str] = ()
) -> str:
    """Return the policy of a role for all projects that it works on.

    Args:
        scope: account and region of the environment.
        prefix: prefix of the names of the environment's secrets.
        accounts: ARNs of the secrets of the projects' MLflow accounts, or a pattern of them.
        secrets_key: the key of all secrets.
        filled: ARNs of the projects' own secrets, to which the role gives values.
    """
    statements = [*read_secrets(scope, accounts, secrets_key, within=account_secrets(scope, prefix))]
    if filled:
        actions = ["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"]
        own = scope.arn("secretsmanager", f"secret:{prefix}/{secret('*', '*')}")
        statements.append(Statement(sid="FillSecrets", actions=actions, resources=filled))
        statements.append(encrypt_secrets(scope, [own], secrets_key))
    return document(statements)

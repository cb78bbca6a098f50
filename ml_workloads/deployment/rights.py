"""What the pods of a project, and the people who work on it, may do on AWS. Pure.

Pods read what is the project's own: the secret of its account at MLflow, its secrets, and, where it trains on them, its
objects in the data lake. Models and metrics go through MLflow, which has a role of its own.

People sign in at MLflow as the project's account, and give its secrets their values, which they need not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.data_rights import encrypt_secrets, read_objects, read_secrets
from components.iam_documents import Scope, Statement, document
from ml_workloads.project.deployment_names import secret
from platform_services.mlflow.rights import account_secrets


@dataclass(frozen=True, kw_only=True)
class DataToRead:
    """`prefix` ends with /, or it would cover the neighbours whose names begin alike."""

    bucket: str
    prefix: str
    key_arn: str

    def __post_init__(self) -> None:
        if not self.prefix.endswith("/"):
            raise ValueError(f"prefix must end with /, got {self.prefix!r}")


def project_policy(scope: Scope, secrets: Sequence[str], secrets_key: str, data: DataToRead | None = None) -> str:
    objects = read_objects(scope, data.bucket, data.prefix, data.key_arn) if data else ()
    return document([*read_secrets(scope, secrets, secrets_key), *objects])


def people_policy(
    scope: Scope, prefix: str, accounts: Sequence[str], secrets_key: str, filled: Sequence[str] = ()
) -> str:
    """Return the policy of a role for all projects that it works on.

    Args:
        scope: account and region of the environment.
        prefix: what the names of the environment's secrets begin with.
        accounts: ARNs of the secrets of the projects' accounts at MLflow, or a pattern of them.
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

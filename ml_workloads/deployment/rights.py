"""What the pods of a project, and the people who work on it, may do on AWS. Pure.

Pods read what is the project's own: the secret of its account at MLflow, its secrets, and, where it trains on them, its
objects in the data lake. Models and metrics go through MLflow, which has a role of its own.

People sign in at MLflow as the project's account, and give its secrets their values, which they need not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.data_rights import put_secrets, read_objects, read_secrets
from components.iam_documents import Scope, Statement, document


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


def people_policy(scope: Scope, accounts: Sequence[str], secrets_key: str, filled: Sequence[str] = ()) -> str:
    """Of a role, for all projects that it works on. `filled` are the projects' own secrets.

    IAM takes 10,240 characters of inline policies for a role: room for the accounts of some 40 projects.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    statements = [*read_secrets(scope, accounts, secrets_key)]
    if filled:
        look = Statement(sid="DescribeSecrets", actions=["secretsmanager:DescribeSecret"], resources=filled)
        statements += [look, *put_secrets(scope, filled, secrets_key)]
    return document(statements)

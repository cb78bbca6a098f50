"""What the pods of a project may do on AWS. Pure.

They read what is the project's own: the secret of its account at MLflow, its secrets, and, where it trains on them, its
objects in the data lake. Models and metrics go through MLflow, which has a role of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.data_rights import read_objects, read_secrets
from components.iam_documents import Scope, document


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

"""Settings of access to the cluster: teams with their namespaces, and conditions for people who assume a role."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from components.iam_documents import Conditions
from validation.base import Allowed, Problem, Section, refuse, unique

Policy = Literal["view", "edit", "admin"]
NAMESPACE_PATTERN = re.compile(r"[a-z0-9*](?:[a-z0-9*-]{0,61}[a-z0-9*])?")


def namespace(text: str) -> str:
    if not NAMESPACE_PATTERN.fullmatch(text) or not text.strip("*"):
        raise ValueError("write a namespace, or the start of some, such as vision-*")
    return text


def tag_value(text: str) -> str:
    """Raise ValueError for wildcards and variables.

    In a trust policy they would admit more principals than the text suggests.
    """
    if not text or len(text) > 256 or re.search(r"[*?$]", text):
        raise ValueError("write up to 256 characters, without wildcards and variables")
    return text


Tag = Annotated[str, AfterValidator(tag_value), Allowed("value of a tag")]
Namespaces = Annotated[
    tuple[Annotated[str, AfterValidator(namespace), Allowed("namespace, or the start of some with *")], ...],
    Strict(False),
    AfterValidator(unique),
]


class TeamSpec(Section):
    namespaces: Namespaces = Field(min_length=1)
    """Namespaces that the team works in."""
    policy: Policy = "edit"
    """Permissions of the team in its namespaces.
    https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html"""

    @property
    def changes_things(self) -> bool:
        return self.policy != "view"


class SignInSpec(Section):
    mfa: bool = True
    """If true, people must have signed in with a second factor. Sessions of IAM Identity Center never show one.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"""
    principal_tags: Annotated[dict[str, Tag], Allowed("tag keys to values")] = Field(default_factory=dict[str, str])
    """Tags that a person's role or user must have.
    https://docs.aws.amazon.com/singlesignon/latest/userguide/attributesforaccesscontrol.html"""

    @property
    def conditions(self) -> Conditions:
        """Return the IAM conditions of a trust policy that people must fulfil."""
        tags = {f"aws:PrincipalTag/{key}": value for key, value in self.principal_tags.items()}
        return {
            **({"Bool": {"aws:MultiFactorAuthPresent": "true"}} if self.mfa else {}),
            **({"StringEquals": tags} if tags else {}),
        }

    @model_validator(mode="after")
    def something_is_demanded(self) -> Self:
        if not self.mfa and not self.principal_tags:
            fix = "write true or name principal_tags, or every principal of the account could assume the roles"
            refuse([Problem(field="mfa", value=False, fix=fix)])
        return self

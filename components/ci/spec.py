"""Settings of deployment: the GitHub repository whose workflows may assume the roles of this environment."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Strict, model_validator

from components.ci.github import github_trust_size
from components.iam_documents import TRUST_POLICY_LIMIT
from validation.base import Allowed, Problem, Section, refuse, unique


def repository(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}", text):
        raise ValueError("write owner/name of the GitHub repository")
    return text


def branch(text: str) -> str:
    """Raise ValueError for wildcards. With a wildcard anybody who can push a branch could deploy."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", text):
        raise ValueError("write the name of one branch, without wildcards")
    return text


def github_environment(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError("write the name of one GitHub environment: letters, digits and . _ -, without wildcards")
    return text


def bucket_name(text: str) -> str:
    """Raise ValueError for invalid bucket names.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]", text):
        raise ValueError("write 3 to 63 lower-case letters, digits and single dashes")
    return text


def key_alias(text: str) -> str:
    if not re.fullmatch(r"alias/(?!aws/)[A-Za-z0-9/_-]{1,250}", text):
        raise ValueError("write the alias of a key of your own, such as alias/ml-platform-dev-state")
    return text


BranchNames = Annotated[
    tuple[Annotated[str, AfterValidator(branch), Allowed("name without wildcards")], ...],
    Strict(False),
    AfterValidator(unique),
]
EnvironmentNames = Annotated[
    tuple[Annotated[str, AfterValidator(github_environment), Allowed("name without wildcards")], ...],
    Strict(False),
    AfterValidator(unique),
]


class IdentitySpec(Section):
    github_repository: Annotated[str, AfterValidator(repository), Allowed("owner/name")]
    """Repository whose workflows preview and deploy."""
    protected_branches: BranchNames = ()
    """Branches whose workflows may deploy. Protect them on GitHub; otherwise anybody with write access can deploy."""
    github_environments: EnvironmentNames = ()
    """GitHub environments whose jobs may deploy after approval by their reviewers, in place of `protected_branches`."""
    preview_branches: BranchNames = ("main",)
    """Branches whose workflows check for drift on a schedule. Pull requests may run previews in any case."""
    oidc_provider: Literal["create", "existing"]
    """Origin of the OIDC provider. An account has one per issuer: one environment creates it, the others of the account
    use it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html"""
    state_bucket: Annotated[str, AfterValidator(bucket_name), Allowed("bucket name, unique in the world")]
    """Bucket of this environment's Pulumi state; it must exist before the first deployment."""
    state_key_alias: Annotated[str, AfterValidator(key_alias), Allowed("alias/<name>")]
    """Key that encrypts the secrets in the state; it must exist before the first deployment."""

    @model_validator(mode="after")
    def one_way_to_deploy(self) -> Self:
        """Raise an error unless either branches or GitHub environments deploy, and IAM accepts the trust policies.

        The token of a job with an environment contains the environment in place of the branch. If both were trusted, a
        job that omits `environment:` would deploy from the branch without the environment's reviewers.
        https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
        """
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        if self.protected_branches and self.github_environments:
            fix = "remove it: a job that leaves out `environment:` would deploy without the environment's reviewers"
            yield Problem(field="protected_branches", value=self.protected_branches, fix=fix)
        if not self.protected_branches and not self.github_environments:
            fix = "name the GitHub environments whose jobs may deploy, or protected_branches"
            yield Problem(field="github_environments", value=(), fix=fix)
        for field, names, subjects in (
            ("protected_branches", self.protected_branches, self._of_branches(self.protected_branches)),
            ("github_environments", self.github_environments, self._of_environments()),
            ("preview_branches", self.preview_branches, self.preview_subjects),
        ):
            size = github_trust_size(subjects)
            if size > TRUST_POLICY_LIMIT:
                fix = (
                    f"name fewer, they make a trust policy of {size} characters and IAM takes {TRUST_POLICY_LIMIT}: "
                    "one GitHub environment is enough for all jobs that deploy, and one branch for checks of drift"
                )
                yield Problem(field=field, value=names, fix=fix)

    @property
    def preview_subjects(self) -> list[str]:
        """Return the subject claims of the workflows that preview."""
        return [f"repo:{self.github_repository}:pull_request", *self._of_branches(self.preview_branches)]

    @property
    def deploy_subjects(self) -> list[str]:
        """Return the subject claims of the workflows that deploy."""
        return [*self._of_branches(self.protected_branches), *self._of_environments()]

    def _of_branches(self, branches: tuple[str, ...]) -> list[str]:
        return [f"repo:{self.github_repository}:ref:refs/heads/{branch}" for branch in branches]

    def _of_environments(self) -> list[str]:
        return [f"repo:{self.github_repository}:environment:{each}" for each in self.github_environments]

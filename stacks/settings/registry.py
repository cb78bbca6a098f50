"""Settings of container images. https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-create.html"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from validation.base import Allowed, Section, unique


def repository_name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*([._/-][a-z0-9]+)*", text) or len(text) > 200:
        raise ValueError("write lower-case letters and digits, in words joined by one of . _ - /")
    return text


RepositoryNames = Annotated[
    tuple[Annotated[str, AfterValidator(repository_name), Allowed("repository name")], ...],
    Strict(False),
    AfterValidator(unique),
]


class RegistrySettings(Section):
    repositories: RepositoryNames = Field(min_length=1)
    """Repositories, without the environment's prefix."""
    keep_images: int = Field(default=100, ge=1, le=10000)
    """Number of tagged images to keep in each repository."""
    untagged_days: int = Field(default=7, ge=1, le=365)
    """Days after which ECR removes untagged images."""
    force_delete: bool = False
    """If true, destroying the environment deletes repositories that still contain images."""

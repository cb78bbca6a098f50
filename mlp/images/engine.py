"""Container engine (Docker, or a compatible program) and the account's registry, for environments on AWS."""

from __future__ import annotations

import base64
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlp.console import PlainError
from mlp.images.listing import WantedImage

ENGINES: Final = ("docker", "podman")
# Platform of the nodes of the general pool; images for other nodes are built by their own pipelines.
PLATFORM: Final = "linux/amd64"


@dataclass(frozen=True, kw_only=True)
class Engine:
    program: str

    def build(self, reference: str, dockerfile: Path, context: Path) -> None:
        self._run(
            *("build", "--platform", PLATFORM, "--tag", reference),
            *("--file", str(dockerfile), str(context)),
        )

    def has(self, reference: str) -> bool:
        looked = subprocess.run([self.program, "image", "inspect", reference], capture_output=True, check=False)
        return looked.returncode == 0

    def push(self, image: WantedImage) -> None:
        self._run("push", image.reference)

    def sign_in(self, registry: str, password: str) -> None:
        """Log in to a registry.

        The password goes through standard input, because other processes can read arguments.
        """
        self._run("login", "--username", "AWS", "--password-stdin", registry, given=password)

    def _run(self, *arguments: str, given: str | None = None) -> None:
        done = subprocess.run([self.program, *arguments], input=given, text=True, check=False)
        if done.returncode:
            raise PlainError(f"`{Path(self.program).name} {arguments[0]}` ended with exit code {done.returncode}")


def find_engine() -> Engine:
    for name in ENGINES:
        if program := shutil.which(name):
            return Engine(program=program)
    raise PlainError(f"no {' or '.join(ENGINES)} on PATH: install one of them to build images for AWS")


def registry_password(client: Any) -> str:
    """Return a password for ECR, which is valid for twelve hours.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
    """
    token: str = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(token).decode().partition(":")[2]


def is_pushed(client: Any, image: WantedImage, stack: str) -> bool:
    """Return whether ECR has the image.

    Raises:
        PlainError: the repository does not exist; the environment creates it.
    """
    try:
        client.describe_images(repositoryName=image.repository, imageIds=[{"imageTag": image.tag}])
    except client.exceptions.ImageNotFoundException:
        return False
    except client.exceptions.RepositoryNotFoundException:
        raise PlainError(
            f"there is no repository {image.repository} yet; make the repositories first: `pulumi up --stack {stack} "
            "--exclude '**$pulumi:providers:kubernetes::*' --exclude-dependents`"
        ) from None
    return True

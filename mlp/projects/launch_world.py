"""Executor of a project's launch steps: AWS, the stack of the Pulumi engine, and the commands of `mlp`."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from ml_workloads.project.deployment_names import PRODUCTION
from mlp.console import PlainError, console, errors, report
from mlp.environments import ROOT
from mlp.extensions import selected_account
from mlp.images.listing import WantedImage, wanted_images
from mlp.projects.aws_access import AwsAccess, plain_aws_errors
from mlp.projects.commands import Answer, Commands, run_to_its_end
from mlp.projects.environment import Place
from mlp.projects.launch_steps import Kind, State, Target

# Provider of the resources on the cluster; excluding it also excludes its dependents.
ON_CLUSTER: Final = "**$pulumi:providers:kubernetes::*"
BUCKET_OUTPUT: Final = "data_lake_bucket"
COLUMNS: Final = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
_NOT_THERE: Final = ("404", "NoSuchKey", "NotFound")


@dataclass(kw_only=True)
class World:
    """Executor of launch steps. If `confirmed`, the engine does not ask; `answer` is the model's answer at the end."""

    place: Place
    target: Target
    confirmed: bool
    root: Path = ROOT
    answer: Answer | None = field(default=None, init=False)

    @cached_property
    def commands(self) -> Commands:
        name, env = self.target.project, self.target.environment
        return Commands(stack=env, again=f"`mlp projects launch {name} --env {env}`", root=self.root)

    @cached_property
    def aws(self) -> AwsAccess:
        return AwsAccess(self.place.environment)

    def look(self, kind: Kind, state: State) -> State:
        """Return the state with the current fact about one kind of step.

        Raises:
            PlainError: the fact cannot be determined; the message contains the reason.
        """
        with plain_aws_errors(self.place.environment):
            match kind:
                case "repository":
                    return replace(state, repository=self._has_repository())
                case "image":
                    return replace(state, image=self._has_image())
                case "data":
                    bucket = state.bucket or self._output(BUCKET_OUTPUT)
                    return replace(state, bucket=bucket, data=self._has_data(bucket))
                case "deployment":
                    return replace(state, deployment=self._is_deployed())
                case "secret":
                    return replace(state, secret=self._has_value())
                case "model":
                    return replace(state, aliases=self.commands.aliases(self.target.project))
                case "answer":
                    return state

    def do(self, kind: Kind, state: State) -> State:
        """Execute one kind of step; return the state with its result, or without the fact so that it is checked again.

        Raises:
            PlainError: a command failed; the message names it, and the command to type next.
        """
        env = self.target.environment
        match kind:
            case "repository":
                self._up("--exclude", ON_CLUSTER, "--exclude-dependents")
                return replace(state, repository=None)
            case "image":
                self.commands.show_plain("images", "push" if self.target.pushed else "build", "--env", env)
                return replace(state, image=None)
            case "data":
                self._upload(str(state.bucket))
                return replace(state, data=None)
            case "deployment":
                self._up()
                return replace(state, deployment=True)
            case "model":
                self.commands.model_in_production(self.target.project)
                return replace(state, aliases=None)
            case "answer":
                version = (state.aliases or {})[PRODUCTION]
                self.answer = self.commands.ask(self.target.project, version, str(self.target.request))
                return replace(state, answered=version)
            case "secret":
                raise PlainError("the value of a secret is its team's to write")

    def _has_repository(self) -> bool:
        """Return whether all image repositories of the environment exist.

        `mlp images push` and `pulumi up` also need the repositories of the other projects.
        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html
        """
        ecr = self.aws.client("ecr")
        try:
            for image in self._images:
                ecr.describe_repositories(repositoryNames=[image.repository])
        except ecr.exceptions.RepositoryNotFoundException:
            return False
        return True

    @property
    def _images(self) -> tuple[WantedImage, ...]:
        return wanted_images(self.place.environment, self.aws.account)

    def _has_image(self) -> bool:
        from mlp.images.engine import is_pushed

        account = selected_account()
        if account is None:
            ecr = self.aws.client("ecr")
            return all(is_pushed(ecr, each, self.target.environment) for each in self._images)
        builder = account.image_builder(report)
        return all(builder.has(each.reference) for each in self._images)

    def _has_data(self, bucket: str) -> bool:
        """Return whether the data lake has a table for the training.

        Raises PlainError if training would reject the data.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
        """
        from botocore.exceptions import ClientError

        s3, key = self.aws.client("s3"), str(self.target.key)
        if key.endswith("/"):
            return self._has_parts(s3, bucket, key)
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_THERE:
                return False
            raise
        return True

    @staticmethod
    def _has_parts(s3: Any, bucket: str, prefix: str) -> bool:
        from ml_workloads.runtime.data.errors import DataError
        from ml_workloads.runtime.data.layout import Listed, parts

        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [
            Listed(key=each["Key"], size=each["Size"], etag=each["ETag"])
            for page in pages
            for each in page.get("Contents", ())
        ]
        try:
            return bool(parts(f"s3://{bucket}/{prefix}", prefix, found))
        except DataError as error:
            raise PlainError(str(error)) from None

    def _upload(self, bucket: str) -> None:
        """Upload the user's file, a large one in several parts; the bucket encrypts it with its own key.

        https://docs.aws.amazon.com/boto3/latest/guide/s3-uploading-files.html
        """
        file, key = Path(str(self.target.upload)), str(self.target.key)
        if key.endswith("/"):
            key += file.name
        with plain_aws_errors(self.place.environment), Progress(*COLUMNS, console=errors, transient=True) as shown:
            task = shown.add_task(f"Uploading {file.name}", total=file.stat().st_size)

            def tell(sent: int) -> None:
                shown.advance(task, sent)

            self.aws.client("s3").upload_file(str(file), bucket, key, Callback=tell)

    def _has_value(self) -> bool:
        """Return whether the secret has a value.

        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
        """
        found = self.aws.client("secretsmanager").describe_secret(SecretId=self.target.secret)
        return bool(found.get("VersionIdsToStages"))

    def _is_deployed(self) -> bool:
        with console.status(f"pulumi preview --stack {self.target.environment}"):
            done = self._pulumi("preview", "--expect-no-changes", "--non-interactive")
        return done.returncode == 0

    def _output(self, name: str) -> str:
        done = self._pulumi("stack", "output", name, "--non-interactive")
        if done.returncode:
            said = " ".join(done.stderr.split())
            raise PlainError(f"the stack {self.target.environment} does not tell {name}: {said}")
        return done.stdout.strip()

    def _up(self, *options: str) -> None:
        """Run `pulumi up` and show its output; it asks for confirmation unless the user has confirmed in advance."""
        line = self._line("up", *options)
        if self.confirmed:
            line += ["--yes", "--skip-preview"]
        code = run_to_its_end(line, self.root, self._variables)
        if code:
            again = f"mlp projects launch {self.target.project} --env {self.target.environment}"
            raise PlainError(f"`pulumi up` ended with exit code {code}; when that is mended: {again}")

    def _pulumi(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._line(*words), cwd=self.root, capture_output=True, text=True, env=self._variables, check=False
        )

    def _line(self, *words: str) -> list[str]:
        return ["pulumi", *words, "--stack", self.target.environment]

    @cached_property
    def _variables(self) -> dict[str, str]:
        """Return the environment variables of the engine, including those of a replacement for AWS."""
        account = selected_account()
        own = account.engine_variables(self.target.environment, self.root) if account else {}
        return {**os.environ, **own}

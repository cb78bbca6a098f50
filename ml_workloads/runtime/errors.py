"""Kinds of failure of a training run, each with an exit code of its own."""

from __future__ import annotations


class ProjectError(ValueError):
    """A mistake in the project, its data or its settings. The message is one sentence with the fix; exit code 2."""


class CodeError(ProjectError):
    """The project's code raises an exception. The message names it; exit code 1."""


class PlatformError(RuntimeError):
    """A service of the platform (credentials, MLflow, S3, Secrets Manager, database) does not answer; exit code 75.

    The same run may succeed later, so the process retries first, and Kubernetes starts another pod afterwards.
    """


class Ended(SystemExit):
    """A signal asked the process to end. `code` is 128 plus the signal's number."""

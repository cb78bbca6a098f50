"""Reports an exception of the project's code with its line in the project's files, without data that it may hold."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from botocore.exceptions import CredentialRetrievalError, MetadataRetrievalError
from mlflow.exceptions import MlflowException

import ml_workloads.runtime
from ml_workloads.runtime.errors import CodeError, Ended, ProjectError
from ml_workloads.runtime.retries import is_passing

MAX_LINE: Final = 500
_OURS: Final = Path(ml_workloads.runtime.__file__).parent
_LIBRARIES: Final = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))


def is_platform_fault(error: BaseException) -> bool:
    """Return whether the project's code failed because MLflow or the credentials did not answer."""
    return any(
        isinstance(each, CredentialRetrievalError | MetadataRetrievalError)
        or (isinstance(each, MlflowException) and is_passing(each))
        for each in _causes(error)
    )


def sentence(error: BaseException) -> str:
    """Return one line with the exception, and the last line of the project's own code in its traceback."""
    where = _own_line(error)
    at = f" ({where})" if where else ""
    if isinstance(error, SystemExit):
        return f"the project's code ended the process itself, with exit({error.code!r}){at}; let train return a model"
    hint = "; raise training.resources.memory in project.yaml" if isinstance(error, MemoryError) else ""
    return f"the project's code failed with {one_line(error)}{at}{hint}"


def reason(error: BaseException) -> str:
    """Return the reason why a run failed, for a tag that everybody may read."""
    if isinstance(error, CodeError):
        return str(error)
    if isinstance(error, ProjectError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, Ended):
        return "Ended: the pod was asked to end"
    return one_line(error)


def one_line(error: BaseException) -> str:
    """Return type and first words of an exception. The rest may hold every value of a column, so it is left out."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {_short(text)}" if text else name


def traceback_of(error: BaseException) -> str:
    """Return the traceback, each line shortened."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(["training failed", *(_short(line) for line in lines)])


def _short(text: str) -> str:
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}... ({len(text)} characters)"


def _own_line(error: BaseException) -> str | None:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno} in {own[-1].name}" if own else None


def _is_own(file: str) -> bool:
    path = Path(file)
    if file.startswith("<") or path.is_relative_to(_OURS):
        return False
    return not any(path.is_relative_to(folder) for folder in _LIBRARIES)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__

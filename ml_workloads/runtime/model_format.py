"""Checks that a version of a model has the only format that is loaded here: scikit-learn in a skops file.

MLflow loads whatever a version declares: a pickle, a module of its own, a folder of code. Each of these runs code when
it is loaded. Therefore a version's description and its file are checked before anything of them is loaded.
https://mlflow.org/docs/latest/ml/model/#mlmodel-file
https://skops.readthedocs.io/en/stable/persistence.html
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast

import yaml

DESCRIPTION: Final = "MLmodel"
"""The file that describes a version."""

SKLEARN, PYFUNC = "sklearn", "python_function"
SKOPS: Final = "skops"
LOADER: Final = "mlflow.sklearn"
_CODE_FOLDER: Final = "code"
"""Folder in which MLflow keeps the code that a version contains."""

_SCHEMA: Final = "schema.json"
_MEMBER = re.compile(r"[A-Za-z0-9-]+\.(npy|npz|bin)")
"""Names of the files that skops writes beside the schema: arrays, sparse arrays and bytes. It reads both kinds of
arrays without pickle.
https://github.com/skops-dev/skops/tree/main/skops/io (`_numpy.py`, `_scipy.py`, `_general.py`)"""

_ENCRYPTED: Final = 0x1
_WAY_OUT: Final = "log it with mlflow.sklearn.log_model(..., serialization_format='skops') and without code_paths"

Description = Mapping[str, Any]


class FormatError(ValueError):
    """A version has a format that is not loaded here. The message names version, field, value and fix."""


def described(text: str, version: str) -> Description:
    """Check the content of a file `MLmodel` and return it.

    Raises:
        FormatError: it is no YAML mapping, or declares anything other than scikit-learn in a skops file.
    """
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        document = None
    if not isinstance(document, dict):
        raise _error(version, DESCRIPTION, "is no mapping in YAML")
    description = cast("Description", document)
    problem = next(_problems(description.get("flavors")), None)
    if problem:
        raise _error(version, *problem)
    return description


def model_file(folder: Path, version: str) -> tuple[Description, Path]:
    """Check the description of a downloaded version and its model file, and return both. Loads no model.

    Args:
        folder: holds the files of the version.
        version: its number, for errors.

    Raises:
        FormatError: the version is not scikit-learn in a skops file, contains code, or lacks a file.
    """
    description = folder / DESCRIPTION
    if not description.is_file():
        raise _error(version, DESCRIPTION, "is not among its files")
    document = described(description.read_text(errors="replace"), version)
    if (folder / _CODE_FOLDER).exists():
        raise _error(version, _CODE_FOLDER, "is among its files, and no code of a version is used here")
    field, named = "flavors.sklearn.pickled_model", str(document["flavors"][SKLEARN]["pickled_model"])
    path = (folder / named).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise _error(version, field, f"is {named!r}, which is outside its own folder")
    if not path.is_file():
        raise _error(version, field, f"is {named!r}, which is not among its files")
    unfit = _not_skops(path)
    if unfit:
        raise _error(version, named, unfit)
    return document, path


def _error(version: str, field: str, said: str) -> FormatError:
    return FormatError(f"version {version}: {field} {said}; {_WAY_OUT}")


def _problems(flavors: Any) -> Iterator[tuple[str, str]]:
    """Yield fields of the flavors with the problem of each."""
    held = cast("Mapping[str, Any]", flavors if isinstance(flavors, dict) else {})
    if not isinstance(held.get(SKLEARN), dict):
        yield "flavors.sklearn", "is not there, so that it is no scikit-learn model"
        return
    for other in sorted(map(str, set(held) - {SKLEARN, PYFUNC})):
        yield f"flavors.{other}", "is there, and only the flavor sklearn is loaded here"
    sklearn: Any = held[SKLEARN]
    pyfunc = held.get(PYFUNC, dict[str, Any]())
    # MLflow treats a version without this field as a pickle.
    written = sklearn.get("serialization_format", "pickle")
    if written != SKOPS:
        yield "flavors.sklearn.serialization_format", f"is {written!r}, which runs code when it is loaded"
    yield from _misnamed(f"flavors.{SKLEARN}.pickled_model", sklearn.get("pickled_model"))
    if sklearn.get("code"):
        yield "flavors.sklearn.code", f"is {sklearn['code']!r}, and no code of a version is used here"
    if not isinstance(pyfunc, dict):
        yield f"flavors.{PYFUNC}", "is no mapping"
    elif pyfunc:
        yield from _of_pyfunc(cast("Mapping[str, Any]", pyfunc))


def _of_pyfunc(pyfunc: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    loader = pyfunc.get("loader_module")
    if loader != LOADER:
        yield f"flavors.{PYFUNC}.loader_module", f"is {loader!r}, it must be {LOADER}"
    for field in ("code", "model_code_path"):
        if pyfunc.get(field):
            yield f"flavors.{PYFUNC}.{field}", f"is {pyfunc[field]!r}, and no code of a version is used here"
    yield from _misnamed(f"flavors.{PYFUNC}.model_path", pyfunc.get("model_path"))


def _misnamed(field: str, name: Any) -> Iterator[tuple[str, str]]:
    path = PurePosixPath(name) if isinstance(name, str) else None
    if path is None or path.name == "":
        yield field, f"is {name!r}, it must name the model's file"
    elif path.is_absolute() or ".." in path.parts or "\\" in str(name):
        yield field, f"is {name!r}, which is outside its own folder"


def _not_skops(path: Path) -> str | None:
    """Return why a file was not written by skops, or None. Reads the zip's directory, but none of its members."""
    try:
        with path.open("rb") as file:
            # A zip archive may be appended to any other content, such as a pickle.
            begins = file.read(2) == b"PK"
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "is no zip file, as every skops file is"
    if not begins:
        return "does not begin as a zip file does, as every skops file is one"
    names = [member.filename for member in members]
    if names.count(_SCHEMA) != 1:
        return f"holds {_SCHEMA} {names.count(_SCHEMA)} times, a skops file does once"
    strange = next((name for name in names if name != _SCHEMA and not _MEMBER.fullmatch(name)), None)
    if strange is not None:
        return f"holds {strange!r}, which skops does not write"
    if any(member.flag_bits & _ENCRYPTED for member in members):
        return "is encrypted, which skops does not do"
    return None

"""Loading of objects of a project's own code, by the `module:name` that its `project.yaml` gives."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from ml_workloads.runtime.errors import ProjectError


class ObjectError(ProjectError):
    """A project's own code cannot be imported. The message names the object and the place where it was expected."""


def load_object(reference: str) -> Any:
    """Import a module and return the object that `module:name` names.

    Raises:
        ObjectError: the module or the name in it does not exist, the module imports a package that is not installed, or
            it is no valid Python. Other errors inside the module propagate unchanged.
    """
    module, _, name = reference.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise ObjectError(f"{reference}: there is no module {error.name} in this image") from None
        raise ObjectError(
            f"{reference}: module {module} imports {error.name}, which is not in this image; "
            "install it in the project's Dockerfile"
        ) from None
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise ObjectError(
            f"{reference}: module {module} is no Python that can be read: {error.msg} ({where})"
        ) from None
    if not hasattr(found, name):
        near = difflib.get_close_matches(name, dir(found), n=1)
        raise ObjectError(f"{reference}: module {module} has no {name}{f', but {near[0]}' if near else ''}")
    return getattr(found, name)

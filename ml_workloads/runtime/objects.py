"""Objects of a project's own code, by the `module:name` that its `project.yaml` gives."""

from __future__ import annotations

import importlib
from typing import Any


class ObjectError(ImportError):
    """A project's own code cannot be had. The message names what was looked for and where."""


def load_object(reference: str) -> Any:
    """What `module:name` names.

    Raises:
        ObjectError: there is no such module or no such name in it. Errors inside the module come as they are.
    """
    module, _, name = reference.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise ObjectError(f"{reference}: there is no module {error.name} in this image") from None
        raise
    if not hasattr(found, name):
        raise ObjectError(f"{reference}: module {module} has no {name}")
    return getattr(found, name)

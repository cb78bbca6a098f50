"""The resource types and functions that the plugin knows: one module a service, each with its own list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from sandbox.plugins.aws.resource import Aws, Handler, Props


def _load() -> tuple[dict[str, Handler], dict[str, Callable[[Aws, Props], Props]]]:
    handlers: dict[str, Handler] = {}
    invokes: dict[str, Callable[[Aws, Props], Props]] = {}
    for found in pkgutil.iter_modules(__path__):
        if found.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{found.name}")
        handlers.update({handler.token: handler for handler in getattr(module, "HANDLERS", [])})
        invokes.update(getattr(module, "INVOKES", {}))
    return handlers, invokes


HANDLERS, INVOKES = _load()

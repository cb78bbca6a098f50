"""Resource types and functions of the plugin: one module per service, each with its own list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from mlp_sandbox.providers.aws.resource import Aws, Handler, Props


def _load() -> tuple[dict[str, Handler], dict[str, Callable[[Aws, Props], Props]]]:
    handlers: dict[str, Handler] = {}
    invokes: dict[str, Callable[[Aws, Props], Props]] = {}
    for found in pkgutil.walk_packages(__path__, f"{__name__}."):
        if found.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(found.name)
        handlers.update({handler.token: handler for handler in getattr(module, "HANDLERS", [])})
        invokes.update(getattr(module, "INVOKES", {}))
    return handlers, invokes


HANDLERS, INVOKES = _load()

"""Extensions of moto: AWS operations that this platform needs and moto lacks or loses, one module per service."""

import importlib
import pkgutil


def load() -> None:
    """Import every module of this package, so that each registers its operations."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)

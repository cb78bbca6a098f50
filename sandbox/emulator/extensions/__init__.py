"""What this platform needs of the AWS API and moto lacks or loses, one module per service."""

import importlib
import pkgutil


def load() -> None:
    """Import every module of this package, each of which registers its operations."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")

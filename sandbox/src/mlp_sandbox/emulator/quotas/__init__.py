"""What AWS refuses because it is too much, too long or badly named, where moto takes it.

These rules stand in front of the account and are not asked in a replay: a journal from before a rule still fits.
"""

import importlib
import pkgutil

from mlp_sandbox.emulator.identify import Identity, known_services
from mlp_sandbox.emulator.messages import Request
from mlp_sandbox.emulator.quotas import shapes
from mlp_sandbox.emulator.quotas.registry import Asked, checks_of


def load() -> None:
    """Import every module of this package, each of which registers its checks."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def check(identity: Identity, request: Request) -> None:
    """Raise the service's own Fault where a writing request goes beyond a quota or a rule of its service."""
    if not identity.operation or identity.service not in known_services():
        return
    asked = Asked(identity, request)
    shapes.check(asked)
    for each in checks_of(identity):
        each(asked)

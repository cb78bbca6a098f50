"""Quotas and naming rules that AWS enforces and moto does not.

These rules run in front of the account and are skipped in a replay: a journal older than a rule still replays.
"""

import importlib
import pkgutil

from mlp_sandbox.emulator.identify import Identity, known_services
from mlp_sandbox.emulator.messages import Request
from mlp_sandbox.emulator.quotas import shapes
from mlp_sandbox.emulator.quotas.registry import Asked, checks_of


def load() -> None:
    """Import every module of this package, so that each registers its checks."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def check(identity: Identity, request: Request) -> None:
    """Check a write request against the quotas and rules of its service.

    Raises:
        Fault: The request exceeds a quota or breaks a rule; the fault is the service's own.
    """
    if not identity.operation or identity.service not in known_services():
        return
    asked = Asked(identity, request)
    shapes.check(asked)
    for each in checks_of(identity):
        each(asked)

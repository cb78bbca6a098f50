"""Writes that take effect late: after each write, this module looks for what changed."""

import time
from collections.abc import Callable, Mapping, Sequence

from mlp_sandbox.emulator import clusters, propagation
from mlp_sandbox.emulator.authorization import held, resource_policies
from mlp_sandbox.emulator.kubernetes_access import reviews
from mlp_sandbox.emulator.propagation import ASSOCIATIONS, BUCKETS, ENTRIES, PRINCIPALS, Late, Look, Propagation, Speed
from mlp_sandbox.emulator.services.eks.records import all_clusters

_BY_SERVICE: Mapping[str, Sequence[tuple[Late, Look]]] = {
    "iam": [(PRINCIPALS, held.everybody)],
    "eks": [
        (ASSOCIATIONS, lambda: clusters.associations(all_clusters())),
        (ENTRIES, lambda: reviews.entries_and_policies(all_clusters())),
    ],
    "s3": [(BUCKETS, resource_policies.bucket_policies)],
}


class LateEffects:
    """The late effects of one account. The caller holds the account's lock."""

    def __init__(self, speed: Speed, clock: Callable[[], float] = time.monotonic) -> None:
        self._propagation = Propagation(speed, clock)
        propagation.CURRENT = None

    def begin(self) -> None:
        """Put everything in force that the journal restored. Later changes are delayed."""
        self._propagation.settle((kind, look) for late in _BY_SERVICE.values() for kind, look in late)
        propagation.CURRENT = self._propagation

    def written(self, service: str) -> None:
        """Record what a write to a service changed."""
        for kind, look in _BY_SERVICE.get(service, ()):
            self._propagation.observe(kind, look())

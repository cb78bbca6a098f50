"""Delayed effects of writes, as on AWS, and the length of the delays in this account.

A write is answered at once, and read operations show it at once. Its effect comes later: in this account after a
fraction of a second to some seconds. The deletion of a role, user, association, entry or bucket takes effect at once;
on AWS it may not.
"""

import random
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Speed: TypeAlias = Literal["usual", "slowest", "at-once"]


@dataclass(frozen=True, kw_only=True)
class Late:
    """One kind of late effect. `longest` is the bound in seconds; AWS states none, and speaks of seconds to minutes."""

    what: str
    until: str
    longest: float
    source: str


PRINCIPALS = Late(
    what="roles and users of IAM: their policies, boundaries and trust",
    until="requests are judged by what was before; a new role or user is nobody, also in the policies that name it",
    longest=5.0,
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency",
)
ASSOCIATIONS = Late(
    what="Pod Identity associations",
    until="pods that are admitted get no variables of Pod Identity, and so never any credentials",
    longest=5.0,
    source="https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html",
)
ENTRIES = Late(
    what="access entries of EKS and their policies",
    until="the cluster does not know the principal, or what the policy allows",
    longest=3.0,
    source="https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html",
)
BUCKETS = Late(
    what="policies of S3 buckets",
    until="requests are judged by the policy that was before",
    longest=2.0,
    source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel",
)
TABLE = (PRINCIPALS, ASSOCIATIONS, ENTRIES, BUCKETS)

Key: TypeAlias = Hashable
Facts: TypeAlias = Mapping[Any, Any]
Look: TypeAlias = Callable[[], Facts]
History: TypeAlias = tuple[tuple[float, Any], ...]


class Propagation:
    """The facts of each kind, with the time at which each takes effect.

    The observer holds the account's lock. Readers need no lock: a history is replaced, never changed.
    """

    def __init__(self, speed: Speed, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed, self._clock = speed, clock
        self._histories: dict[Late, dict[Key, History]] = {kind: {} for kind in TABLE}
        self._chance = random.Random()  # noqa: S311 - how long something takes is no secret

    def settle(self, looks: Iterable[tuple[Late, Look]]) -> None:
        """Put all existing facts in force, because they were written long ago."""
        for kind, look in looks:
            self._histories[kind] = {key: ((0.0, fact),) for key, fact in look().items()}

    def observe(self, kind: Late, facts: Facts) -> None:
        """Record the changes since the last look. Facts that no longer exist are dropped."""
        known, moment = self._histories[kind], self._clock()
        for key in known.keys() - facts.keys():
            del known[key]
        for key, fact in facts.items():
            history = known.get(key, ())
            if history and history[-1][1] == fact:
                continue
            counting = [index for index, (since, _) in enumerate(history) if since <= moment]
            kept = history[counting[-1] if counting else 0 :]
            # Changes of one key take effect in their order.
            since = max([moment + self._delay(kind), *(earlier for earlier, _ in kept)])
            known[key] = (*kept, (since, fact))

    def effective(self, kind: Late, key: Key) -> Any:
        """Return the fact in force; None when none is in force yet, or when the key is not known."""
        moment, found = self._clock(), None
        for since, fact in self._histories[kind].get(key, ()):
            if since <= moment:
                found = fact
        return found

    def next_change(self, kind: Late) -> float | None:
        """Return the seconds until the next change of this kind takes effect, or None if no change is pending."""
        moment = self._clock()
        histories = list(self._histories[kind].values())
        waiting = [since for history in histories for since, _ in history if since > moment]
        return min(waiting) - moment if waiting else None

    def _delay(self, kind: Late) -> float:
        if self._speed == "at-once":
            return 0.0
        return kind.longest if self._speed == "slowest" else self._chance.uniform(0.0, kind.longest)


CURRENT: Propagation | None = None
"""The propagation of the running account; None when everything takes effect at once."""


def effective(kind: Late, key: Key, live: Any) -> Any:
    """Return the fact that is in force for the existing fact `live`; None when none is in force yet."""
    return live if CURRENT is None else CURRENT.effective(kind, key)

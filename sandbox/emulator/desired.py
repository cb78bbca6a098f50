"""The contract between the emulated AWS API and the processes that really run behind it (its data planes).

The API side says which instances should exist (`DatabaseInstance`); a data plane makes them so and answers, per
identifier, how far it is. Plain data only, so that neither side imports the other's machinery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

DataPlaneState = Literal["creating", "available", "stopped", "failed"]


@dataclass(frozen=True, kw_only=True)
class DatabaseInstance:
    """One RDS instance as the API describes it; `parameters` holds its parameter group's modified values.

    `resource_id` is what its data belong to: identifiers are renamed, and given to new instances after a deletion.
    """

    identifier: str
    resource_id: str
    running: bool
    engine_version: str
    port: int
    db_name: str | None
    master_username: str
    master_password: str = field(repr=False)
    parameters: Mapping[str, str]
    tls_forced: bool
    allocated_storage: int
    multi_az: bool


@dataclass(frozen=True, kw_only=True)
class DataPlaneStatus:
    """How far an instance is. `reason` says why when it failed; address and port count once it is available."""

    state: DataPlaneState
    address: str | None = None
    port: int | None = None
    reason: str | None = None


@runtime_checkable
class DatabaseDataPlane(Protocol):
    """What runs databases. Called from threads of the emulator: `reconcile` never twice at once."""

    def reconcile(self, desired: Sequence[DatabaseInstance]) -> None:
        """Start what shall run, change what differs, stop what shall not run, put away what is not listed.

        `desired` is the whole truth, in no order. Blocking is fine (a background thread calls); a failure of one
        instance is told by `status`, not raised.
        """
        ...

    def status(self, resource_id: str) -> DataPlaneStatus:
        """Answer at once, from memory; an instance never heard of is `creating`. Safe beside `reconcile`."""
        ...

    def close(self) -> None:
        """Stop every process, keep the data."""
        ...

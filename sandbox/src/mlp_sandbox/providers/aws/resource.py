"""Interface of a resource type in the provider plugin: its inputs, its outputs and four operations on the AWS API.

A handler keeps no state of its own. It uses Pulumi property names (camelCase) towards the engine and boto3 towards AWS.
A value that it cannot read back from the API is a defect of the emulator and must be fixed there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, ClassVar, Literal

import boto3
from botocore.config import Config

from mlp_sandbox.providers.aws.propagation import wait_for_propagation

Props = dict[str, Any]
Kind = Literal["plain", "set", "sets", "exact", "json", "map"]


@dataclass(frozen=True)
class Field:
    """One input property.

    Attributes:
        replace: a change forces a new resource (a test compares this with the pulumi_aws docstrings).
        kind: the rule by which two values are compared. `plain`: the provider chooses nested values that the program
            leaves out; `set`: a list without order; `sets`: as `plain`, and all lists inside have no order; `exact`:
            nested values that the program leaves out are absent; `json`: a document compared by meaning; `map`: all
            keys count.
        nested: defaults of keys inside the value (or each item of a list), for keys that have one upstream.
        inner: keys inside the value that AWS fills in; those that the program leaves out are unknown in a preview.
        default: AWS's value when the input is left out; this value is no drift.
        computed: AWS chooses a value when the input is left out; any value is no drift.
        write_only: the API never returns it (`forceDestroy`); the value of the last deployment is kept.
    """

    replace: bool = False
    kind: Kind = "plain"
    nested: Mapping[str, Any] = field(default_factory=dict[str, Any])
    inner: tuple[str, ...] = ()
    default: Any = None
    computed: bool = False
    write_only: bool = False


@dataclass(frozen=True)
class AutoName:
    """Rule for a physical name that the program does not give: `<prefix><logical name>-<7 hex digits>`."""

    field: str = "name"
    prefix: str = ""
    lowercase: bool = False
    max_length: int = 255


class NotFoundError(Exception):
    """The resource is gone: `read` returns None, and `delete` counts it as done."""


class Clients:
    """Boto3 clients of one region; each is made only once.

    Making a client takes longer than most calls, and only a finished client may be shared between threads.
    """

    def __init__(self, region: str, session: boto3.Session | None = None) -> None:
        self.region = region
        self._session = session or boto3.Session()
        self._lock = Lock()
        self._made: dict[str, Any] = {}

    def get(self, service: str) -> Any:
        with self._lock:
            if service not in self._made:
                client = self._session.client(
                    service,
                    region_name=self.region,
                    # One try: the emulator's answers are final, and retries after a 500 would cost minutes.
                    config=Config(
                        retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60, max_pool_connections=32
                    ),
                )
                wait_for_propagation(client, service)
                self._made[service] = client
            return self._made[service]


@dataclass
class Aws:
    """Access to AWS for one operation.

    Attributes:
        created: called as soon as a resource exists, before further calls on it, so that a failure in between leaves
            the resource in the state instead of losing it.
        timeout: seconds that the operation may take.
        progress: called with the text that tells the user the reason for waiting.
    """

    region: str
    created: Callable[[str], None] = lambda _id: None
    timeout: float = 600.0
    clients: Clients | None = field(default=None, repr=False)
    progress: Callable[[str], None] = lambda _text: None

    def client(self, service: str) -> Any:
        if self.clients is None:
            self.clients = Clients(self.region)
        return self.clients.get(service)

    def account_id(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])


class Handler(ABC):
    """Resource type.

    `read` returns the live values of inputs and outputs together, by Pulumi name, without inputs that are not set in
    AWS. `id` is the id that `pulumi import` takes (the Import section of the pulumi_aws docstring).
    """

    token: ClassVar[str]
    fields: ClassVar[Mapping[str, Field]]
    outputs: ClassVar[tuple[str, ...]] = ()
    autoname: ClassVar[AutoName | None] = None
    tagged: ClassVar[bool] = False  # has `tags`: the provider's default tags are merged in; outputs have `tagsAll`
    delete_before_replace: ClassVar[bool] = False
    unsupported: ClassVar[Mapping[str, str]] = {}  # inputs that `check` rejects, with the alternative
    timeout: ClassVar[float] = 600.0  # seconds that an operation may take when the program sets no limit

    @abstractmethod
    def create(self, aws: Aws, inputs: Props) -> str:
        """Create it, wait until it is usable and return its id."""

    @abstractmethod
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        """Return the live values, or None when it does not exist.

        `inputs` are those of the last deployment, and empty on import.
        """

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        """Bring the resource from `old` to `new` (inputs); `changed` names the top-level inputs that differ."""
        raise NotImplementedError(f"{self.token}: {', '.join(sorted(changed))} cannot be changed in place")

    def replaces(self, old: Props, new: Props, changed: set[str]) -> set[str]:
        """Return the changed inputs that force a new resource in this case only; values may be UNKNOWN.

        `Field.replace` marks the inputs that always force one.
        """
        return set()

    def moved(self, new: Props, changed: set[str]) -> set[str]:
        """Return the outputs that an update of these inputs changes; they are unknown in a preview."""
        return set()

    @abstractmethod
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        """Delete it and wait until it is gone. `state` has inputs and outputs of the last deployment."""

    def check(self, inputs: Props) -> list[tuple[str, str]]:
        """Return (property, reason) pairs for inputs that AWS would reject; values may be UNKNOWN."""
        return []

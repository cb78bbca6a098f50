"""The emulated RDS instances as desired state for the data plane, and the data plane's status for the API to show.

Reconciling runs in one background thread. It may start or stop real database servers, and no API request waits for
that.
"""

import json
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.rds.models import DBInstance, rds_backends

from mlp_sandbox.contracts.desired import DatabaseDataPlane, DatabaseInstance, DatabaseNetwork, DataPlaneStatus

_log = logging.getLogger(__name__)
# Engine of the instances that a data plane runs.
_ENGINE = "postgres"


class Databases:
    """The registered data planes and the thread that reconciles them with the API."""

    def __init__(self, account_lock: threading.RLock) -> None:  # pyright: ignore[reportGeneralTypeIssues]
        self._account_lock = account_lock
        self._planes: list[DatabaseDataPlane] = []
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="databases", daemon=True)

    def register(self, plane: DatabaseDataPlane) -> None:
        """Add a data plane. Call this before `start`."""
        self._planes.append(plane)

    def start(self) -> None:
        """Reconcile once, and afterwards on every request. Returns after the first round."""
        if self._planes:
            self._reconcile()
            self._thread.start()

    def request_reconcile(self) -> None:
        """Request a reconcile soon, in the background."""
        self._wanted.set()

    def status(self, resource_id: str) -> DataPlaneStatus | None:
        """Return the data plane's status of an instance; None when nothing runs databases."""
        return self._planes[0].status(resource_id) if self._planes else None

    def close(self) -> None:
        """Stop reconciling, then close the data planes."""
        self._closing = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60)
        for plane in self._planes:
            plane.close()

    def abandon(self) -> None:
        """Stop reconciling and let the data planes start nothing new. The caller ends the running processes."""
        self._closing = True
        self._wanted.set()
        for plane in self._planes:
            plane.abandon()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing:
                return
            self._reconcile()

    def _reconcile(self) -> None:
        with self._account_lock:
            desired = desired_databases()
        for plane in self._planes:
            try:
                plane.reconcile(desired)
            except Exception:
                _log.exception("%s could not be brought in step with the API", type(plane).__name__)


CURRENT: Databases | None = None


def current_status(resource_id: str) -> DataPlaneStatus | None:
    """Return the running emulator's data plane status of an instance; None without a data plane."""
    return CURRENT.status(resource_id) if CURRENT else None


def desired_databases() -> list[DatabaseInstance]:
    """Return every PostgreSQL instance of every account and region. The caller must hold the account's lock."""
    return [
        _desired(instance, backend.db_parameter_groups)
        for regions in rds_backends.values()
        for backend in regions.values()
        for instance in backend.databases.values()
        if instance.engine == _ENGINE
    ]


def _desired(instance: DBInstance, parameter_groups: Mapping[str, Any]) -> DatabaseInstance:
    group = parameter_groups.get(instance.db_parameter_group_name or "")
    parameters = {
        str(name): str(setting.get("ParameterValue"))
        for name, setting in (group.parameters if group is not None else {}).items()
        if setting.get("ParameterValue") is not None
    }
    major = int(instance.engine_version.split(".")[0])
    return DatabaseInstance(
        identifier=instance.db_instance_identifier,
        resource_id=instance.dbi_resource_id,
        running=instance.status != "stopped",
        engine_version=instance.engine_version,
        port=int(instance.port or 5432),
        db_name=instance.db_name,
        master_username=str(instance.master_username),
        master_password=master_password(instance),
        parameters=parameters,
        # AWS: rds.force_ssl is on by default from PostgreSQL 15.
        tls_forced=parameters.get("rds.force_ssl", "1" if major >= 15 else "0") == "1",
        allocated_storage=int(instance.allocated_storage),
        multi_az=bool(instance.multi_az),
        network=_network(instance),
    )


def _network(instance: Any) -> DatabaseNetwork | None:
    """Return the subnets in which AWS would give the instance an address, always in the same order."""
    group = getattr(instance, "db_subnet_group", None)
    subnets: list[Any] = list(group._subnets) if group is not None else []
    if not subnets:
        return None
    own_zone = instance.availability_zone
    subnets.sort(key=lambda each: (each.availability_zone != own_zone, each.availability_zone, each.id))
    return DatabaseNetwork(
        vpc_id=str(subnets[0].vpc_id),
        subnets=tuple(str(each.cidr_block) for each in subnets),
        taken=frozenset(_taken(subnets)),
    )


def _taken(subnets: Iterable[Any]) -> Iterator[str]:
    """Yield the addresses in use. A subnet of moto records only addresses that were requested explicitly."""
    for subnet in subnets:
        yield from (str(address) for address in subnet._subnet_ips)
        interfaces: Iterable[Any] = subnet.ec2_backend.enis.values()
        for each in interfaces:
            if each.subnet.id == subnet.id:
                yield from (str(address["PrivateIpAddress"]) for address in each.private_ip_addresses)


def master_password(instance: Any) -> str:
    """Return the password in force: the current value of the managed secret, or the password of the request."""
    if instance.manage_master_user_password:
        secret = instance.master_user_secret.secret
        content = secret.versions[secret.default_version_id]["secret_string"]
        return str(json.loads(content)["password"])
    return str(instance._master_user_password or "")

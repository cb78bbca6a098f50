"""Address choice for an instance: one of its DB subnets where this machine can have it, else a loopback address.

As on AWS, clients in the VPC then reach the instance by the address that the API returns. The choice is recorded before
it is used, and does not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from mlp_sandbox.contracts.desired import DatabaseInstance
from mlp_sandbox.databases.postgres import host_addresses
from mlp_sandbox.databases.postgres.addresses import choose_address, subnet_candidates, why_unusable
from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.databases.postgres.record import InstanceFolder, InstanceRecord, existing_folders


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Record of an instance that has an address now; `note` says why it is not an address of its VPC."""

    record: InstanceRecord
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Ranges:
    """Subnets that the machine may answer in, in order, or the reason why there are none."""

    subnets: tuple[IPv4Network, ...] = ()
    problem: str | None = None


def place(
    home: Path, pool: IPv4Network, folder: InstanceFolder, instance: DatabaseInstance, *, running: bool
) -> Placement:
    """Return the recorded address of an instance, else choose a free one and record it before it is used.

    Raises:
        DataPlaneError: no address is free, or the recorded one cannot be used.
    """
    have = host_addresses.of_machine() if instance.network is not None and host_addresses.possible() else None
    ranges = _ranges(instance, have)
    record = folder.read_record()
    if record is not None and not any(IPv4Address(record.address) in each for each in ranges.subnets or (pool,)):
        record = None
    if record is None:
        address = _choose(home, pool, instance, ranges.subnets, have or ())
        record = InstanceRecord(address=address, port=instance.port, resource_id=instance.resource_id)
    else:
        problem = host_addresses.ensure(record.address, home, have) if ranges.subnets and have is not None else None
        listens = running and record.port == instance.port
        problem = problem or (None if listens else why_unusable(record.address, instance.port))
        if problem is not None:
            raise DataPlaneError(f"{problem}; end it, or remove {folder.record_file} for another address")
        record = replace(record, port=instance.port, resource_id=instance.resource_id)
    if record != folder.read_record():
        folder.write_record(record)
    return Placement(record=record, note=ranges.problem)


def recorded_addresses(home: Path) -> set[str]:
    """Return the addresses of all instances that the home holds data of.

    Damaged records are skipped; they are reported when their instance is started.
    """
    found: set[str] = set()
    for folder in existing_folders(home):
        try:
            record = folder.read_record()
        except DataPlaneError:
            continue
        if record is not None:
            found.add(record.address)
    return found


def _ranges(instance: DatabaseInstance, have: Sequence[host_addresses.HostAddress] | None) -> _Ranges:
    if instance.network is None:
        return _Ranges()
    if have is None:
        return _Ranges(problem="pods cannot reach it: an address of the VPC needs root, Linux and the program `ip`")
    subnets = [IPv4Network(each) for each in instance.network.subnets]
    free = tuple(each for each in subnets if host_addresses.covered(each, have) is None)
    if free:
        return _Ranges(subnets=free)
    own = next(found for each in subnets if (found := host_addresses.covered(each, have)) is not None)
    return _Ranges(problem=f"pods cannot reach it: this machine is itself in {own}, as its subnets; use another range")


def _choose(
    home: Path,
    pool: IPv4Network,
    instance: DatabaseInstance,
    subnets: Sequence[IPv4Network],
    have: Sequence[host_addresses.HostAddress],
) -> str:
    others = recorded_addresses(home)
    if not subnets or instance.network is None:
        return choose_address(pool, home, instance.identifier, instance.port, others)
    reason = "all are taken"
    for subnet in subnets:
        for address in subnet_candidates(subnet, home, instance.identifier):
            if address in others or address in instance.network.taken:
                continue
            problem = host_addresses.ensure(address, home, have)
            if problem is None:
                problem = why_unusable(address, instance.port)
                if problem is None:
                    return address
                # The address was free before, so only a process that listens on all addresses can be in the way.
                host_addresses.release(home, others)
                raise DataPlaneError(f"{problem}; end what listens on 0.0.0.0:{instance.port} or ask for another port")
            reason = problem
    raise DataPlaneError(f"no address of {', '.join(map(str, subnets))} is free ({reason})")

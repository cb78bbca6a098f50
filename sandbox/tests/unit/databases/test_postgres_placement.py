"""Choice of an instance's address, on a simulated machine."""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

import pytest

from mlp_sandbox.contracts.desired import DatabaseNetwork
from mlp_sandbox.databases.postgres import host_addresses, placement
from mlp_sandbox.databases.postgres.addresses import ADDRESS_POOL, subnet_candidates
from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.databases.postgres.host_addresses import HostAddress, covered, label
from mlp_sandbox.databases.postgres.placement import Placement, place, recorded_addresses
from mlp_sandbox.databases.postgres.record import InstanceFolder, InstanceRecord, instance_folder
from sandbox.tests.live.databases.databases import database

SUBNETS = ("10.10.8.0/24", "10.10.9.0/24")


class Machine:
    """A simulated machine: its addresses, and the effects of `ip` on them."""

    def __init__(self) -> None:
        self.addresses = [HostAddress(address=IPv4Interface("192.0.2.2/24"), label="eth0")]
        self.allowed = True
        self.listened_on: str | None = None

    def ensure(self, address: str, home: Path, have: Collection[HostAddress]) -> str | None:
        holder = next((each.label for each in have if str(each.address.ip) == address), None)
        if holder in (None, label(home)):
            self.addresses.append(HostAddress(address=IPv4Interface(f"{address}/32"), label=label(home)))
            return None
        return f"{address} is another one's"

    def release(self, home: Path, keep: Collection[str] = ()) -> None:
        self.addresses = [each for each in self.addresses if each.label != label(home) or str(each.address.ip) in keep]

    def labels(self) -> set[str]:
        return {each.label for each in self.addresses}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(host_addresses, "possible", lambda: made.allowed)
    monkeypatch.setattr(host_addresses, "of_machine", lambda: list(made.addresses))
    monkeypatch.setattr(host_addresses, "ensure", made.ensure)
    monkeypatch.setattr(host_addresses, "release", made.release)
    monkeypatch.setattr(placement, "why_unusable", lambda address, port: made.listened_on)
    return made


def placed(home: Path, *, subnets: tuple[str, ...] = SUBNETS, taken: Iterable[str] = (), name: str = "db") -> Placement:
    network = DatabaseNetwork(vpc_id="vpc-1", subnets=subnets, taken=frozenset(taken))
    folder = instance_folder(home, name)
    folder.root.mkdir(parents=True, exist_ok=True)
    return place(home, ADDRESS_POOL, folder, database(identifier=name, network=network), running=False)


def firsts(home: Path, subnet: str = SUBNETS[0]) -> list[str]:
    return list(subnet_candidates(IPv4Network(subnet), home, "db"))


@pytest.mark.usefixtures("machine")
def test_an_instance_gets_an_address_of_its_first_subnet_which_is_recorded(tmp_path: Path):
    found = placed(tmp_path)
    assert found.record.address == firsts(tmp_path)[0]
    assert found.note is None
    assert instance_folder(tmp_path, "db").read_record() == found.record


def test_it_is_the_same_after_the_machine_has_lost_it(tmp_path: Path, machine: Machine):
    before = placed(tmp_path)
    machine.release(tmp_path)
    assert placed(tmp_path) == before
    assert label(tmp_path) in machine.labels()


@pytest.mark.usefixtures("machine")
def test_addresses_of_interfaces_and_of_other_instances_are_passed_over(tmp_path: Path):
    first, second, third, *_ = firsts(tmp_path)
    other = InstanceFolder(tmp_path / "rds" / "other")
    other.root.mkdir(parents=True)
    other.write_record(InstanceRecord(address=second, port=5432))
    assert placed(tmp_path, taken={first}).record.address == third


def test_an_address_of_another_sandbox_is_passed_over(tmp_path: Path, machine: Machine):
    first, second, *_ = firsts(tmp_path / "one")
    machine.addresses.append(HostAddress(address=IPv4Interface(f"{first}/32"), label=label(tmp_path / "two")))
    assert placed(tmp_path / "one").record.address == second


def test_an_address_that_another_sandbox_took_meanwhile_is_told_and_not_taken(tmp_path: Path, machine: Machine):
    address = placed(tmp_path).record.address
    machine.release(tmp_path)
    machine.addresses.append(HostAddress(address=IPv4Interface(f"{address}/32"), label=label(tmp_path / "two")))
    with pytest.raises(DataPlaneError, match=rf"{address} is another one's.*for another address"):
        placed(tmp_path)


def test_a_subnet_that_the_machine_itself_is_in_is_passed_over(tmp_path: Path, machine: Machine):
    machine.addresses.append(HostAddress(address=IPv4Interface("10.10.8.5/24"), label="eth1"))
    assert placed(tmp_path).record.address == firsts(tmp_path, SUBNETS[1])[0]
    machine.addresses.append(HostAddress(address=IPv4Interface("10.10.9.5/16"), label="eth2"))
    found = placed(tmp_path / "second")
    assert found.record.address.startswith("127.")
    assert found.note is not None
    assert "this machine is itself in 10.10." in found.note


def test_without_root_it_is_a_loopback_address_and_said_why(tmp_path: Path, machine: Machine):
    machine.allowed = False
    found = placed(tmp_path)
    assert found.record.address.startswith("127.")
    assert found.note is not None
    assert "needs root" in found.note


def test_an_instance_of_an_earlier_version_moves_to_its_subnet(tmp_path: Path, machine: Machine):
    machine.allowed = False
    placed(tmp_path)
    machine.allowed = True
    assert placed(tmp_path).record.address == firsts(tmp_path)[0]


def test_an_instance_without_subnets_stays_on_a_loopback_address(tmp_path: Path, machine: Machine):
    folder = instance_folder(tmp_path, "db")
    folder.root.mkdir(parents=True)
    found = place(tmp_path, ADDRESS_POOL, folder, database(identifier="db"), running=False)
    assert found.record.address.startswith("127.")
    assert found.note is None
    assert machine.labels() == {"eth0"}


def test_somebody_who_listens_on_every_address_is_told_and_no_address_stays(tmp_path: Path, machine: Machine):
    machine.listened_on = "it is taken by another process"
    with pytest.raises(DataPlaneError, match=r"end what listens on 0\.0\.0\.0:5432"):
        placed(tmp_path)
    assert machine.labels() == {"eth0"}


def test_a_damaged_record_keeps_no_address_and_does_not_stop_others(tmp_path: Path):
    for name, text in (("broken", "{"), ("whole", '{"address": "10.10.8.200", "port": 5432}')):
        folder = InstanceFolder(tmp_path / "rds" / name)
        folder.root.mkdir(parents=True)
        folder.record_file.write_text(text)
    assert recorded_addresses(tmp_path) == {"10.10.8.200"}


def test_single_addresses_of_other_sandboxes_are_no_neighbourhood():
    have = [
        HostAddress(address=IPv4Interface("10.10.8.200/32"), label="lo:mlp123456789"),
        HostAddress(address=IPv4Interface("127.0.0.1/8"), label="lo"),
    ]
    assert covered(IPv4Network("10.10.8.0/24"), have) is None


def test_the_kernel_takes_the_mark_of_a_home_and_homes_have_different_ones(tmp_path: Path):
    names = {label(tmp_path / name) for name in "abcd"}
    assert len(names) == 4
    assert all(len(name) <= 15 and name.startswith("lo:mlp") for name in names)

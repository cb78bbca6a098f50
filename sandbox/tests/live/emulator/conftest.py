"""Fixtures: one shared emulator for tests of single operations, and separate ones for tests that kill it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.tests.live.emulator.running import Running


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("emulator") / "home").start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def client(emulator: Running) -> Callable[[str], Any]:
    return emulator.client


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "home")
    yield running
    running.kill()


@pytest.fixture(scope="session")
def vpc(client: Callable[[str], Any]) -> str:
    return str(client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture(scope="session")
def subnets(client: Callable[[str], Any], vpc: str) -> list[str]:
    return [
        client("ec2").create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in enumerate("ab")
    ]


@pytest.fixture(scope="session")
def key(client: Callable[[str], Any]) -> str:
    return str(client("kms").create_key(Description="data")["KeyMetadata"]["Arn"])

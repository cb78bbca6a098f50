"""The emulator process: start, health while it starts, shutdown, and start-up errors."""

import resource
import signal
import socket
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.live.emulator.running import Running

SMALL_DISK = 40_000


def test_health_names_the_account_when_it_is_ready(fresh: Running):
    status, health = fresh.start("--name", "team-a").health()
    assert status == 200
    assert health["status"] == "ready"
    assert health["name"] == "team-a"
    assert health["replayed"] == 0


def test_while_it_replays_health_says_how_far_and_requests_are_told_to_come_back(fresh: Running):
    iam = fresh.start().client("iam")
    for number in range(300):
        iam.create_user(UserName=f"user-{number}")
    fresh.stop()
    fresh.launch()
    seen: list[dict[str, object]] = []
    refused = False
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status, health = fresh.health()
        if status == 200:
            break
        if status == 503:
            seen.append(health)
            try:
                fresh.client("iam").list_users()
            except ClientError as error:
                refused = refused or error.response["Error"]["Code"] == "ServiceUnavailable"
    assert any(health["status"] == "replaying" and health["total"] == 300 for health in seen)
    assert refused
    assert fresh.health()[1]["replayed"] == 300


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_0(fresh: Running, number: signal.Signals):
    process = fresh.start().process
    assert process is not None
    process.send_signal(number)
    assert process.wait(timeout=30) == 0


def test_a_taken_port_is_a_one_line_error_that_names_it(fresh: Running):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", fresh.port))
        taken.listen()
        assert fresh.launch().wait(timeout=60) == 2
    assert fresh.log.read_text().splitlines() == [
        f"emulator: port {fresh.port} on 127.0.0.1 cannot be used: Address already in use; choose another one"
    ]


def test_a_second_emulator_on_the_same_home_is_refused(fresh: Running):
    fresh.start()
    second = Running(fresh.home)
    assert second.launch().wait(timeout=60) == 1
    assert f"another emulator already runs on {fresh.home}" in second.log.read_text().splitlines()[-1]
    assert fresh.health()[0] == 200


def test_a_home_that_is_a_file_is_a_one_line_error(fresh: Running):
    fresh.home.write_text("")
    assert fresh.launch().wait(timeout=60) == 1
    [line] = fresh.log.read_text().splitlines()
    assert line.startswith(f"emulator: --home {fresh.home} cannot be used: ")


def test_a_full_disk_refuses_this_and_every_later_write_and_loses_nothing_acknowledged(fresh: Running):
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_DISK, resource.RLIM_INFINITY))

    fresh.start(before=small_disk)
    s3, acknowledged = fresh.client("s3"), set[str]()

    def fill_the_disk() -> None:
        for number in range(1000):
            s3.create_bucket(Bucket=f"bucket-{number}")
            acknowledged.add(f"bucket-{number}")

    with pytest.raises(ClientError, match="could not be recorded") as failure:
        fill_the_disk()
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError, match="Free disk space, then restart"):
        fresh.client("iam").create_user(UserName="later")
    fresh.kill()
    fresh.start()
    assert {bucket["Name"] for bucket in fresh.client("s3").list_buckets()["Buckets"]} == acknowledged
    s3.create_bucket(Bucket="writes-again")


def test_motos_own_control_pages_are_closed(fresh: Running):
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"{fresh.start().url}/moto-api/reset", method="POST")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=5)  # noqa: S310
    assert refusal.value.code == 403


def test_the_state_of_two_homes_is_separate(fresh: Running, tmp_path: Path):
    other = Running(tmp_path / "other")
    try:
        fresh.start().client("s3").create_bucket(Bucket="only-here")
        assert other.start().client("s3").list_buckets()["Buckets"] == []
    finally:
        other.kill()

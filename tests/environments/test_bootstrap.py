"""`mlp bootstrap` and then the engine: state in S3 and secrets under KMS, with the exact commands that it prints."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from mlp.app import make_app
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.testing.box import free_port

BUCKET = "acme-ml-platform-dev-state"


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the API of an empty account; the test's own environment points to it."""
    endpoint = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "mlp_sandbox.emulator", "--home", str(tmp_path / "account"), "--no-dataplanes"]
    with (tmp_path / "account.log").open("w") as log:
        emulator = subprocess.Popen([*command, "--port", endpoint.rsplit(":", 1)[1]], cwd=PROJECT, stderr=log)
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    try:
        _wait_until_ready(endpoint, emulator)
        yield endpoint
    finally:
        emulator.terminate()
        emulator.wait(60)


def _wait_until_ready(endpoint: str, emulator: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert emulator.poll() is None, "the emulator ended"
        try:
            with urllib.request.urlopen(f"{endpoint}/_mlp/health", timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail("the emulator was not ready within 60 s")


def _bootstrap() -> dict[str, Any]:
    done = CliRunner().invoke(make_app(), ["bootstrap", "--env", "dev", "--yes", "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


@pytest.fixture
def in_project(tmp_path: Path, pulumi_binary: Path) -> Any:
    """Return a function that runs a command line as a user types it, in a small separate project."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: ml-platform\nruntime: python\n")
    environment = {
        **os.environ,
        "PATH": f"{pulumi_binary.parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "pulumi-home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    for name in ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"):
        environment.pop(name, None)

    def run(line: str, given: str | None = None) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env={**environment, "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]},
            input=given,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.folder = folder  # pyright: ignore[reportFunctionMemberAccess]
    return run


@pytest.mark.usefixtures("account")
def test_the_printed_commands_give_a_stack_whose_state_is_in_the_bucket_and_whose_secrets_need_the_key(
    in_project: Any,
):
    login, init = _bootstrap()["next"]
    in_project(login)
    in_project(init)
    in_project("pulumi config set --secret password", given="planted-secret")
    assert in_project("pulumi config get password").strip() == "planted-secret"
    stack_file = (in_project.folder / "Pulumi.dev.yaml").read_text()
    assert "secretsprovider: awskms://alias/ml-platform-dev-state" in stack_file
    assert "encryptedkey: " in stack_file
    assert "planted-secret" not in stack_file
    keys = [
        entry["Key"] for entry in boto3.client("s3", region_name="us-east-1").list_objects_v2(Bucket=BUCKET)["Contents"]
    ]
    assert [key for key in keys if key.startswith(".pulumi/stacks/ml-platform/dev.json")]


@pytest.mark.usefixtures("account")
def test_a_second_run_finds_everything_and_changes_nothing():
    assert {item["status"] for item in _bootstrap()["items"]} == {"created", "not needed"}
    again = _bootstrap()["items"]
    assert {item["status"] for item in again} == {"existed", "not needed"}
    assert not [step for item in again for step in item["steps"]]


@pytest.mark.usefixtures("account")
def test_an_account_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    done = CliRunner().invoke(make_app(), ["bootstrap", "--env", "dev", "--yes"])
    assert done.exit_code == 1
    assert "AWS cannot be reached" in done.stderr

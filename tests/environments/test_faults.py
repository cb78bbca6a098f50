"""Kills, concurrent users and wrong settings during real work: clear errors, and no acknowledged change is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from mlp_sandbox import lifecycle, processes
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.testing.box import Box, Program, eventually, new_program

# Each waits for the one before: long enough to be caught in the middle.
CHAIN = """
before = []
for index in range({count}):
    group = aws.cloudwatch.LogGroup(
        f"g{{index}}", name=f"chain/{{index:03}}", retention_in_days=14,
        opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=before)))
    before = [group]
"""
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


@pytest.fixture
def chain(own_box: Box, tmp_path: Path) -> Program:
    program = new_program(own_box, tmp_path / "chain")
    program.write(CHAIN.format(count=60))
    return program


def group_names(box: Box) -> list[str]:
    found: list[str] = []
    for page in box.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix="chain/"):
        found += [group["logGroupName"] for group in page["logGroups"]]
    return found


def start_up(program: Program) -> subprocess.Popen[str]:
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "test", "--non-interactive", "--color=never"]
    return program.box.start(*command, cwd=program.folder)


def emulator_pid(box: Box) -> int:
    pid = processes.running(box.instance.home / "emulator.pid")
    assert pid is not None
    return pid


def test_an_emulator_killed_in_the_middle_of_an_up_loses_nothing_and_the_next_up_finishes(chain: Program) -> None:
    running = start_up(chain)
    eventually(lambda: len(group_names(chain.box)) >= 10, "ten log groups exist")
    os.kill(emulator_pid(chain.box), signal.SIGKILL)
    said, _ = running.communicate(timeout=120)
    assert running.returncode != 0
    assert "does not answer. Is the sandbox up?" in said
    recorded = {r["id"] for r in chain.resources(LOG_GROUP)}
    chain.box.up()
    assert recorded <= set(group_names(chain.box))
    chain.up()
    assert len(group_names(chain.box)) == 60
    chain.preview("--expect-no-changes")


def test_an_emulator_that_is_just_ending_when_it_is_looked_at_is_started_anew(own_box: Box) -> None:
    """A killed process counts as running until the kernel has freed its memory; a sleeping process simulates it."""
    home = own_box.instance.home
    lifecycle.down(own_box.instance)
    ending = processes.start(
        ["sleep", "2"], pid_file=home / "emulator.pid", log=home / "ending.log", cwd=home, env=os.environ
    )
    own_box.up()
    assert emulator_pid(own_box) != ending
    assert lifecycle.status(own_box.instance).ready


def test_ctrl_c_in_the_middle_of_an_up_leaves_a_state_that_the_next_up_finishes(chain: Program) -> None:
    running = start_up(chain)
    eventually(lambda: len(group_names(chain.box)) >= 5, "five log groups exist")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode != 0
    assert {r["id"] for r in chain.resources(LOG_GROUP)} == set(group_names(chain.box))
    assert len(group_names(chain.box)) < 60
    chain.up()
    chain.preview("--expect-no-changes")


def test_an_engine_killed_in_the_middle_leaves_a_lock_that_sandbox_up_removes(chain: Program) -> None:
    running = start_up(chain)
    eventually(lambda: len(group_names(chain.box)) >= 5, "five log groups exist")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate(timeout=60)
    assert "locked" in chain.pulumi("up", "--yes", "--skip-preview", ok=False)
    chain.box.up()
    # What was being made when the engine died is unknown to it; a refresh by hand is what it asks for.
    chain.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    known = {r["id"] for r in chain.resources(LOG_GROUP)}
    for orphan in set(group_names(chain.box)) - known:
        chain.box.client("logs").delete_log_group(logGroupName=orphan)
    chain.up()
    chain.preview("--expect-no-changes")


def test_a_second_up_at_the_same_time_is_refused_by_the_lock_and_harms_nothing(chain: Program) -> None:
    running = start_up(chain)
    eventually(lambda: len(group_names(chain.box)) >= 3, "three log groups exist")
    said = chain.pulumi("up", "--yes", "--skip-preview", ok=False)
    assert "the stack is currently locked by 1 lock(s)" in said
    running.communicate(timeout=200)
    assert running.returncode == 0
    chain.preview("--expect-no-changes")


def test_a_wrong_passphrase_is_refused_and_the_state_is_untouched(box: Box, tmp_path: Path) -> None:
    program = new_program(box, tmp_path / "pass")
    program.write('pulumi.export("token", pulumi.Output.secret("planted"))')
    program.up()
    before = box.export("test", program.folder)
    said = program.pulumi("up", "--yes", "--skip-preview", ok=False, PULUMI_CONFIG_PASSPHRASE="wrong")
    assert "incorrect passphrase" in said
    assert box.export("test", program.folder) == before


def test_without_a_sandbox_the_plugin_says_how_to_start_it(box: Box, tmp_path: Path) -> None:
    program = new_program(box, tmp_path / "none")
    program.write('aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", opts=options)')
    said = program.pulumi("up", "--yes", "--skip-preview", ok=False, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert "http://127.0.0.1:9 does not answer. Is the sandbox up?" in said


def test_a_taken_port_names_the_port_its_owner_and_the_fix(box: Box, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = box.mlp(
            "sandbox", "up", "--name", "other", "--port", str(port), ok=False, MLP_SANDBOX_HOME=str(tmp_path)
        )
    assert done.returncode == 1
    assert f"port {port} for the emulated AWS API is taken by process {os.getpid()}" in done.stderr.replace("\n", " ")
    assert "--port" in done.stderr


def test_a_folder_that_cannot_be_written_names_it_and_the_variable(box: Box, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = box.mlp("sandbox", "up", "--name", "other", ok=False, MLP_SANDBOX_HOME=str(tmp_path / "file"))
    assert done.returncode == 1
    assert "MLP_SANDBOX_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_status_of_a_sandbox_that_is_not_running_exits_with_1(box: Box, tmp_path: Path) -> None:
    done = box.mlp("sandbox", "status", "--name", "other", "--json", ok=False, MLP_SANDBOX_HOME=str(tmp_path))
    assert done.returncode == 1
    assert json.loads(done.stdout)["ready"] is False


def test_env_before_up_says_what_to_type(box: Box, tmp_path: Path) -> None:
    done = box.mlp("sandbox", "env", "--name", "other", ok=False, MLP_SANDBOX_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "mlp sandbox up" in done.stderr


@pytest.mark.parametrize(("arguments", "message"), [(["--name", "Bad_Name"], "lower-case"), (["--port", "80"], "1024")])
def test_unusable_names_and_ports_are_refused(box: Box, arguments: list[str], message: str, tmp_path: Path) -> None:
    done = box.mlp("sandbox", "up", *arguments, ok=False, MLP_SANDBOX_HOME=str(tmp_path))
    assert done.returncode == 1
    assert message in done.stderr


def test_reset_without_a_terminal_asks_for_yes_and_forgets_nothing(box: Box) -> None:
    done = box.mlp("sandbox", "reset", ok=False)
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert box.instance.aws.is_dir()
    assert PROJECT.is_dir()

"""Start, stop, inspect and reset a sandbox. Every step can be repeated, and interrupted, without harm."""

from __future__ import annotations

import json
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlp_sandbox import orphans, processes
from mlp_sandbox.clusters import lifecycle as clusters
from mlp_sandbox.databases import postgres
from mlp_sandbox.engine.install import install
from mlp_sandbox.engine.stacks import ensure_stacks, remove_dead_locks
from mlp_sandbox.environment import process_environment
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT, SOURCES, Instance

START_SECONDS = 300.0  # a long journal replays at some 200 requests a second
REPORT_SECONDS = 2.0
Report = Callable[[str], None]


@dataclass(frozen=True)
class Status:
    """State of a sandbox's parts. `health` is the emulator's own answer."""

    instance: Instance
    emulator_pid: int | None
    health: dict[str, Any] = field(default_factory=dict)
    databases: list[dict[str, Any]] = field(default_factory=list)
    clusters: list[clusters.ClusterProcesses] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return self.emulator_pid is not None and self.health.get("status") == "ready"


def up(instance: Instance, pulumi: Path, report: Report, kubectl: Path | None = None) -> Status:
    """Start the sandbox, or repair it after a crash.

    Args:
        instance: the sandbox.
        pulumi: the engine's executable.
        report: called with lines of progress.
        kubectl: an executable to put beside the other commands.

    Raises:
        SandboxError: the sandbox cannot be started.
    """
    try:
        instance.save()
    except OSError as error:
        raise SandboxError(
            f"the sandbox cannot be kept in {instance.home}: {error.strerror}; make room or make it writable, "
            "or name another folder in MLP_SANDBOX_HOME"
        ) from error
    orphans.clear(report)
    _start_emulator(instance, report)
    try:
        report("Preparing the engine")
        install(instance, pulumi, kubectl)
        for stack in remove_dead_locks(instance):
            report(f"Removed the lock that a killed process left on stack {stack}")
        made = ensure_stacks(instance)
    except OSError as error:
        raise SandboxError(f"the engine cannot be set up in {instance.home}: {error}") from error
    if made:
        report(f"Made the stacks {', '.join(made)}")
    _wait_for_clusters(instance, report)
    return status(instance)


def down(instance: Instance) -> bool:
    """Stop every process of the sandbox and keep its data. Return False when nothing ran."""
    stopped = processes.stop(_pid_file(instance), seconds=clusters.STOP_SECONDS)
    # The emulator stops its databases and clusters itself. A killed emulator could not, so they are stopped here.
    stopped = postgres.stop_all(instance.aws) > 0 or stopped
    return clusters.stop_all(instance.aws) > 0 or stopped


def reset(instance: Instance, report: Report = lambda _words: None) -> None:
    """Stop the sandbox and delete the emulated account, its databases and the engine's state.

    Also remove what runs on this machine for sandboxes whose folders are gone.
    """
    down(instance)
    orphans.clear(report)
    for folder in (instance.aws, instance.state, instance.logs):
        shutil.rmtree(folder, ignore_errors=True)
    if instance.home.is_dir():
        instance.save()


def status(instance: Instance) -> Status:
    pid = processes.running(_pid_file(instance))
    health = _health(instance) if pid else {}
    databases = [asdict(found) for found in postgres.describe(instance.aws)]
    return Status(instance, pid, health, databases, clusters.describe(instance.aws))


def require_ready(instance: Instance) -> Status:
    """Return the status of a sandbox that is ready.

    Raises:
        SandboxError: it is not ready; the message says how to start it.
    """
    found = status(instance)
    if not found.ready:
        what = "is not running" if found.emulator_pid is None else f"is {found.health.get('status', 'not answering')}"
        raise SandboxError(f"sandbox {instance.name!r} {what}; start it with `mlp sandbox up`")
    return found


def log_files(instance: Instance) -> list[Path]:
    return sorted(
        [*instance.logs.glob("*.log"), *instance.aws.glob("rds/*/*.log"), *instance.aws.glob("eks/*/log/*.log")]
    )


def _pid_file(instance: Instance) -> Path:
    return instance.home / "emulator.pid"


def _start_emulator(instance: Instance, report: Report) -> None:
    if processes.running(_pid_file(instance)) is not None:
        try:
            return _wait_until_ready(instance, report)
        except SandboxError:
            # A process that was just killed still counts as running until the kernel has freed its memory.
            if processes.running(_pid_file(instance)) is not None:
                raise
    processes.require_free_port(instance.port, "the emulated AWS API")
    report(f"Starting the emulated AWS account on {instance.endpoint}")
    command = [sys.executable, "-m", "mlp_sandbox.emulator", "--home", str(instance.aws)]
    command += ["--port", str(instance.port), "--name", instance.name]
    command += ["--propagation", instance.propagation]
    command += ["--simulated-nodes"] if instance.nodes == "simulated" else []
    environment = {**process_environment(instance), "PYTHONPATH": str(SOURCES)}
    log = instance.logs / "emulator.log"
    processes.start(command, pid_file=_pid_file(instance), log=log, cwd=PROJECT, env=environment)
    return _wait_until_ready(instance, report)


def _wait_until_ready(instance: Instance, report: Report) -> None:
    deadline, next_report = time.monotonic() + START_SECONDS, time.monotonic() + REPORT_SECONDS
    while time.monotonic() < deadline:
        health = _health(instance)
        if health.get("status") == "ready":
            return
        if health.get("total") and time.monotonic() > next_report:
            report(f"Replaying what the account holds: {health.get('done', 0)} of {health['total']} requests")
            next_report = time.monotonic() + REPORT_SECONDS
        if processes.running(_pid_file(instance)) is None:
            raise SandboxError(f"the emulated AWS account ended while starting: {_tail(instance)}")
        time.sleep(0.1)
    raise SandboxError(f"the emulated AWS account was not ready after {START_SECONDS:.0f} s: {_tail(instance)}")


def _wait_for_clusters(instance: Instance, report: Report) -> None:
    """Wait for the clusters that the account already has; whoever creates another one later waits for it."""
    deadline, next_report = time.monotonic() + START_SECONDS, time.monotonic() + REPORT_SECONDS
    while waiting := [words for found in clusters.describe(instance.aws) if (words := _not_ready(found))]:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{'; '.join(waiting)}, after {START_SECONDS:.0f} s; see `mlp sandbox status` and `mlp sandbox logs`"
            )
        if time.monotonic() > next_report:
            report(f"Waiting: {'; '.join(waiting)}")
            next_report = time.monotonic() + REPORT_SECONDS
        time.sleep(0.2)


def _not_ready(found: clusters.ClusterProcesses) -> str:
    """Say in words what a cluster still lacks; empty when it is ready."""
    if found.state != "active":
        return f"cluster {found.name} is {found.state}" + (f" ({found.reason})" if found.reason else "")
    nodes = [name for name, node in found.nodes.items() if node["state"] not in ("ready", "failed")]
    return f"cluster {found.name}: {len(nodes)} of {len(found.nodes)} nodes are not ready" if nodes else ""


def _health(instance: Instance) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{instance.endpoint}/_mlp/health", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        try:
            return dict(json.load(error))
        except ValueError:
            return {"status": f"HTTP {error.code}"}
    except (OSError, ValueError):
        return {}


def _tail(instance: Instance) -> str:
    log = instance.logs / "emulator.log"
    lines = log.read_text(errors="replace").strip().splitlines()[-5:] if log.is_file() else []
    return "\n".join([f"see {log}", *lines])

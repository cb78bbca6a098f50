"""First process of a node: it sets up the namespaces, keeps the services running, and reaps ended processes.

When it ends, the kernel ends everything inside the node. `launch` starts it as `init <node's folder>`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from mlp_sandbox.clusters.nodes.real import cgroups, mounts, network, registry_redirect
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.clusters.nodes.real.plan import Plan
from mlp_sandbox.clusters.nodes.real.services import Services

GRACE_SECONDS = 5.0
"""Time that processes of pods have to end after SIGTERM. A longer terminationGracePeriodSeconds has no effect."""

_STEP_SECONDS = 0.5
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


def main() -> None:
    folder = NodeFolder(Path(sys.argv[1]))
    plan = Plan.read(folder.plan)
    try:
        _set_up(plan)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(str(each) for each in error.cmd)}: {error.stderr.strip()}")
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # before another thread could receive one
    registry_redirect.serve_in_thread(plan.registry)
    services = Services(plan.services, folder.log, folder.state)
    while True:
        services.step()
        told = signal.sigtimedwait(_SIGNALS, _STEP_SECONDS)
        services.reap()
        if told and told.si_signo != signal.SIGCHLD:
            break
    _end(services)


def _set_up(plan: Plan) -> None:
    mounts.share_inside()
    Path("/proc/sys/kernel/hostname").write_text(plan.hostname)
    network.connect(plan.network)  # before /run is hidden, which has the name of the cluster's namespace
    mounts.own_sys()
    cgroups.make_pods_group()
    mounts.own_run()
    mounts.bind(plan.binds)


def _end(services: Services) -> None:
    """End the node's processes.

    Kubelet and containerd are killed first, so that they restart nothing. Then the processes of pods get SIGTERM.
    """
    for running in services.each:
        running.signal(signal.SIGKILL)
    deadline = time.monotonic() + GRACE_SECONDS
    asked: set[int] = set()
    while time.monotonic() < deadline:
        services.reap()
        left = _others()
        if not left:
            return
        for pid in left - asked:
            _terminate(pid)
        asked |= left
        time.sleep(0.1)


def _others() -> set[int]:
    """Return the pids of the pods' processes.

    Left out are this process, shims (which end with their containers) and pause processes.
    """
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and entry.name != "1":
            try:
                command = (entry / "comm").read_text().strip()
                stat = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if command not in ("containerd-shim", "pause") and stat != "Z":
                found.add(int(entry.name))
    return found


def _terminate(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    main()

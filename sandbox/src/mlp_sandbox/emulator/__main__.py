"""`python -m mlp_sandbox.emulator --home DIR --port N`: the AWS API of one local account, as one process.

The server accepts connections at once. `/_mlp/health` reports when the recorded requests have been replayed.

Exit codes:
    0: The emulator was stopped on request, or its home was deleted.
    1: The journal or the home cannot be used.
    2: An argument is wrong, or the port is taken.
"""

import argparse
import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from filelock import FileLock, Timeout

from mlp_sandbox import orphans
from mlp_sandbox.emulator.propagation import Speed
from mlp_sandbox.presence import Presence

if TYPE_CHECKING:
    from mlp_sandbox.emulator.service import Service

# moto reads these when it is imported.
MOTO_SETTINGS = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_ALLOW_NONEXISTENT_REGION": "false",
    "MOTO_ENABLE_ISO_REGIONS": "false",
    "MOTO_CALL_RESET_API": "false",
    "INITIAL_NO_AUTH_ACTION_COUNT": "inf",
    # Sets of strings must iterate in the same order in every process, or a replay draws different identifiers.
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}
# Settings of the caller's environment that would change which account or region answers, or how it answers.
_UNWANTED = ("MOTO_", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")


def main(argv: list[str]) -> int:
    """Run the emulator until it receives a request to stop, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mlp_sandbox.emulator", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps the account's state")
    parser.add_argument("--port", type=int, default=4566, help="port on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--name", default="default", help="name of the account, shown by the health page")
    parser.add_argument("--no-dataplanes", action="store_true", help="answer the API only, start no databases")
    parser.add_argument("--simulated-nodes", action="store_true", help="no node of a cluster runs containers")
    parser.add_argument(
        "--propagation",
        choices=get_args(Speed),
        default="at-once",
        help="how soon changes of IAM and the like take effect (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    if not 0 <= options.port <= 65535:
        parser.error(f"--port {options.port}: a port lies between 0 and 65535")
    _settle_environment(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    try:
        options.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(options.home / "emulator.lock", timeout=0)
        lock.acquire()
    except Timeout:
        return _fail(f"another emulator already runs on {options.home}; stop it first, or choose another --home")
    except OSError as error:
        return _fail(f"--home {options.home} cannot be used: {error.strerror or error}")
    with lock:
        return _serve(options)


def _serve(options: argparse.Namespace) -> int:
    from mlp_sandbox.emulator.journal import JournalError  # imports moto: after its settings
    from mlp_sandbox.emulator.late_effects import LateEffects
    from mlp_sandbox.emulator.server import PortTakenError, Server
    from mlp_sandbox.emulator.service import Service

    log = logging.getLogger(__name__)
    services: list[Service] = []
    failures: list[str] = []
    try:
        server = Server(options.port, lambda request: services[0].handle(request))
        services.append(
            Service(
                home=options.home,
                name=options.name,
                dataplanes=not options.no_dataplanes,
                real_nodes=not options.simulated_nodes,
                port=server.port,
                late=LateEffects(options.propagation),
            )
        )
    except PortTakenError as error:
        return _fail(str(error), 2)
    except JournalError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"--home {options.home} cannot be used: {error.strerror or error}")

    def prepare() -> None:
        try:
            services[0].start()
        except JournalError as error:
            failures.append(str(error))
        except Exception as error:
            log.exception("cannot start")
            failures.append(f"cannot start: {type(error).__name__}: {error}")
        if failures:
            server.stop("the account cannot be brought back")

    server.stop_on_signals()
    presence = Presence(options.home, options.home / "emulator.lock", options.home / "journal" / "origin.json")
    presence.watch(lambda: server.stop(f"{options.home} is not there any more"))
    log.info("listening on http://127.0.0.1:%d, state in %s", server.port, options.home)
    threading.Thread(target=prepare, name="prepare", daemon=True).start()
    server.run()
    if presence.lost:
        return _leave(options.home, services[0], log)
    services[0].close()
    return _fail(failures[0]) if failures else 0


def _leave(home: Path, service: "Service", log: logging.Logger) -> int:
    """End and remove everything that ran for a deleted home, so that none of it can write there again."""
    try:
        service.abandon()
    except Exception:
        log.exception("not everything could be closed in order")
    for problem in orphans.end_everything_of(home):
        log.error("%s", problem)
    log.info("everything of %s has ended", home)
    return 0


def _settle_environment(argv: list[str]) -> None:
    """Restart the process under the settings that every account needs.

    Hash order can only be set before Python starts.
    """
    if all(os.environ.get(name) == value for name, value in MOTO_SETTINGS.items()):
        return
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
    os.execve(  # noqa: S606 - this very program
        sys.executable, [sys.executable, "-m", "mlp_sandbox.emulator", *argv], environment | MOTO_SETTINGS
    )


def _fail(message: str, code: int = 1) -> int:
    sys.stderr.write(f"emulator: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

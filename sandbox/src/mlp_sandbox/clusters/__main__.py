"""`python -m mlp_sandbox.clusters --home DIR`: supervisor process of one cluster.

The supervisor runs the cluster that DIR/desired.json describes, and writes DIR/status.json until it is stopped. Exit
codes: 0 when it was stopped on request; 1 when DIR cannot be used or another supervisor runs there.
"""

import argparse
import logging
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from mlp_sandbox.clusters.folder import ClusterFolder
from mlp_sandbox.clusters.supervisor import Supervisor
from mlp_sandbox.errors import SandboxError


def main(argv: list[str]) -> int:
    """Run the supervisor until it receives a signal to stop, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mlp_sandbox.clusters", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="folder of the cluster")
    folder = ClusterFolder(parser.parse_args(argv).home.absolute())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        folder.make()
        with FileLock(folder.supervisor_lock, timeout=0):
            Supervisor(folder, logging.getLogger("cluster")).run()
    except Timeout:
        return _fail(f"another supervisor runs on {folder.root}")
    except SandboxError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"--home {folder.root} cannot be used: {error.strerror or error}")
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"cluster: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

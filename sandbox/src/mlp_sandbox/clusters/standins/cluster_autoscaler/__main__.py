"""`cluster-autoscaler --cloud-provider=aws ...`: the autoscaler's loop, which runs until a signal stops it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

from .autoscaler import Autoscaler
from .aws import Aws, AwsError
from .cluster import Cluster, ClusterError, connect
from .flags import FlagError, Options, parse
from .serving import Health, serve_in_thread
from .status import metrics, text

_log = logging.getLogger("cluster-autoscaler")


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        options = parse(sys.argv[1:])
    except FlagError as error:
        sys.exit(f"cluster-autoscaler: {error}")
    if options.ignored:
        _log.info("flags without effect in this stand-in: %s", ", ".join(f"--{name}" for name in options.ignored))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    health = Health()
    serve_in_thread(options.address, health)
    cluster = Cluster(connect(options.kubeconfig), options.namespace)
    aws = Aws(_region(cluster, stop))
    _loop(options, Autoscaler(options, aws, cluster), cluster, health, stop)


def _loop(options: Options, autoscaler: Autoscaler, cluster: Cluster, health: Health, stop: threading.Event) -> None:
    errors = 0
    while not stop.is_set():
        begin = time.monotonic()
        try:
            view = autoscaler.turn(begin)
            if options.write_status_configmap:
                cluster.write_status(options.status_config_map_name, text(view))
            health.metrics = metrics(view, autoscaler, errors)
            health.last_success = time.monotonic()
        except (*AwsError, *ClusterError) as error:
            errors += 1
            _log.error("turn failed: %s", " ".join(str(error).split()))
        stop.wait(max(0.0, options.scan_interval - (time.monotonic() - begin)))


def _region(cluster: Cluster, stop: threading.Event) -> str:
    """Return the region from AWS_REGION or AWS_DEFAULT_REGION, or else from a label of the nodes."""
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    while not named and not stop.is_set():
        try:
            found = [node.labels.get("topology.kubernetes.io/region") for node in cluster.nodes()]
            named = next((each for each in found if each), None)
        except ClusterError as error:
            _log.warning("the nodes, whose labels tell the region, cannot be read: %s", error)
        if not named:
            stop.wait(5)
    return named or ""


if __name__ == "__main__":
    main()

"""Serve the engine over gRPC on a free loopback port, which the process prints, as long as the engine lives."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

MAX_MESSAGE = 400 * 1024 * 1024  # the engine's own limit


def serve(register: Callable[[grpc.Server], None], workers: int) -> None:
    """Serve what `register` adds to the server, until the engine ends this process."""
    # The engine ends this process with SIGINT; the user's Ctrl-C reaches the engine alone.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    options = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=workers), options=options)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    threading.Thread(target=_exit_with_parent, args=(os.getppid(),), daemon=True).start()
    server.wait_for_termination()


def _exit_with_parent(parent: int) -> None:
    """End this process when the engine is gone: an engine that was killed with -9 sends no signal."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)

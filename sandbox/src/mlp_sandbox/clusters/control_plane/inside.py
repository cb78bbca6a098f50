"""Listening socket inside a cluster's network, owned by a process of the host."""

from __future__ import annotations

import ctypes
import os
import socket
import threading

from mlp_sandbox.clusters.network.network import NETNS_FOLDER

_CLONE_NEWNET = 0x40000000
_BACKLOG = 64


def listen_inside(netns: str, address: tuple[str, int]) -> socket.socket:
    """Create a listening socket in a network namespace. Raises OSError.

    A socket stays in the namespace in which it was created. A thread can enter another namespace than its process, so
    that a short-lived thread creates the socket: https://man7.org/linux/man-pages/man2/setns.2.html
    """
    made: list[socket.socket | OSError] = []

    def make() -> None:
        try:
            _enter(netns)
            made.append(socket.create_server(address, backlog=_BACKLOG))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make, name="inside")
    thread.start()
    thread.join()
    [found] = made
    if isinstance(found, OSError):
        raise found
    return found


def _enter(netns: str) -> None:
    descriptor = os.open(NETNS_FOLDER / netns, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"network namespace {netns}: {os.strerror(number)}")
    finally:
        os.close(descriptor)

"""Check whether an image's own registry answers this machine, within seconds. A failure is cached for a while."""

from __future__ import annotations

import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from ipaddress import ip_address

from mlp_sandbox.errors import SandboxError

PROBE_SECONDS = 5.0
REMEMBERED_SECONDS = 60.0
_SERVERS = {"docker.io": "registry-1.docker.io"}
"""Hosts that serve a registry under another name than its references: Docker Hub."""


class UnreachableError(SandboxError):
    """Error for a registry that does not answer at all."""


def is_plain(host: str) -> bool:
    """Return True if the registry is on this machine. As in Docker and containerd, such a registry may lack TLS."""
    name = host.rpartition(":")[0] or host
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def probe(host: str, seconds: float = PROBE_SECONDS) -> str | None:
    """Return the reason why a host cannot be reached, or None if it sends any response.

    Proxies of the environment are used.
    """
    server = _SERVERS.get(host, host)
    said: list[str | None] = []
    # A thread is needed, because no time-out applies to the name resolution.
    asking = threading.Thread(target=lambda: said.append(_ask(server, seconds)), daemon=True)
    asking.start()
    asking.join(seconds)
    return said[0] if said else f"{server} has not answered for {seconds:.0f} s"


class Reach:
    """Cache of unreachable registries, for a minute, so that offline pods wait only once for each."""

    def __init__(self, probe: Callable[[str], str | None] = probe, clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._problems: dict[str, tuple[float, str]] = {}

    def check(self, host: str) -> None:
        """Check that a registry can be reached. Raises UnreachableError."""
        until, problem = self._problems.get(host, (0.0, None))
        if problem is None or self._clock() >= until:
            problem = self._probe(host)
            if problem is None:
                self._problems.pop(host, None)
                return
            self._problems[host] = (self._clock() + REMEMBERED_SECONDS, problem)
        raise UnreachableError(f"{host} cannot be reached from this machine: {problem}")


def _ask(server: str, seconds: float) -> str | None:
    address = f"{'http' if is_plain(server) else 'https'}://{server}/v2/"
    try:
        with urllib.request.urlopen(address, timeout=seconds):  # noqa: S310 - http or https, as written above
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return None  # usually 401, which asks for credentials
    except urllib.error.URLError as error:
        # The host is there. The pull reports a certificate problem better.
        return None if isinstance(error.reason, ssl.SSLError) else str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)

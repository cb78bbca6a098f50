"""Whether an image's own registry answers this machine: known within seconds, and remembered for a while."""

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
"""Docker Hub's references name another host than the one that serves them."""


class UnreachableError(SandboxError):
    """The registry does not answer at all."""


def is_plain(host: str) -> bool:
    """Registries of this machine are spoken to without TLS where they have none, as Docker and containerd do it."""
    name = host.rpartition(":")[0] or host
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def probe(host: str, seconds: float = PROBE_SECONDS) -> str | None:
    """Why it cannot be reached, None when it answers, whatever its answer is. Proxies of the environment are used."""
    server = _SERVERS.get(host, host)
    said: list[str | None] = []
    # A thread, because no time-out bounds the name server's.
    asking = threading.Thread(target=lambda: said.append(_ask(server, seconds)), daemon=True)
    asking.start()
    asking.join(seconds)
    return said[0] if said else f"{server} has not answered for {seconds:.0f} s"


class Reach:
    """Remembers for a minute which registries cannot be reached, so that pods offline wait for each only once."""

    def __init__(self, probe: Callable[[str], str | None] = probe, clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._problems: dict[str, tuple[float, str]] = {}

    def check(self, host: str) -> None:
        """Raises UnreachableError."""
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
        return None  # usually 401: it asks who we are
    except urllib.error.URLError as error:
        # It is there, and what is wrong with its certificate is better told by the pull.
        return None if isinstance(error.reason, ssl.SSLError) else str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)

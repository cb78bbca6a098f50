"""Wait until AWS has finished, and reject inputs that an emulated account does not support."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from mlp_sandbox.providers.aws.resource import Props

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0


def wait_until(
    what: str,
    status: Callable[[], str],
    wanted: Collection[str],
    *,
    timeout: float,
    failed: Collection[str] = (),
    progress: Callable[[str], None] = lambda _text: None,
    why: Callable[[], str] = lambda: "",
) -> None:
    """Ask for the status until it is a wanted one. The first answer counts, so a finished change costs no pause.

    Args:
        what: the subject of messages.
        status: returns the current status.
        wanted: the statuses that end the wait.
        timeout: seconds.
        failed: the statuses that end the wait with an error.
        progress: called with the status again and again during the wait.
        why: returns the problem that AWS reports.

    Raises:
        ValueError: the status is one of `failed`.
        TimeoutError: the time is over.
    """
    begin, pause = time.monotonic(), FIRST_PAUSE
    deadline = begin + timeout
    while (last := status()) not in wanted:
        if last in failed:
            raise ValueError(f"{what} ended in status '{last}' instead of {_either(wanted)}{_because(why())}")
        progress(f"{what} is {last} ({time.monotonic() - begin:.0f} s){_because(why())}")
        if time.monotonic() + pause > deadline:
            raise TimeoutError(
                f"{what}: the last status after {timeout:.0f} seconds is '{last}', not {_either(wanted)}"
                f"{_because(why())}; look why, or give the resource more time with the option custom_timeouts"
            )
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def refused(inputs: Props, unsupported: Mapping[str, str], *, also_empty: bool = False) -> list[tuple[str, str]]:
    """Return a problem for each given input that no emulated account supports; the table's text names the alternative.

    Args:
        inputs: the inputs of a resource.
        unsupported: the alternative by the input's name.
        also_empty: an empty list is rejected as well, because it is an instruction, too (that there shall be none).
    """
    given = [name for name in unsupported if (name in inputs if also_empty else _given(inputs.get(name)))]
    return [(name, f"is not supported here: {unsupported[name]}") for name in given]


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _given(value: object) -> bool:
    return value is not None and value is not False and value not in ("", [], {})


def _either(wanted: Collection[str]) -> str:
    return " or ".join(f"'{status}'" for status in sorted(wanted))

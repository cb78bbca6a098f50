"""Waiting for AWS to finish, and refusing what an emulated account cannot do."""

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
    """Asks for the status until it is a wanted one. The first answer counts, so a finished change costs no pause.

    progress: told the status again and again while it is waited for. why: what AWS says is wrong."""
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
    """A problem for each input given that no emulated account has; the table's text says what to do instead.

    also_empty: where an empty list is an instruction, too (that there shall be none)."""
    given = [name for name in unsupported if (name in inputs if also_empty else _given(inputs.get(name)))]
    return [(name, f"is not supported here: {unsupported[name]}") for name in given]


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _given(value: object) -> bool:
    return value is not None and value is not False and value not in ("", [], {})


def _either(wanted: Collection[str]) -> str:
    return " or ".join(f"'{status}'" for status in sorted(wanted))

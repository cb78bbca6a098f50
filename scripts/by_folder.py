"""A plugin of pytest: with xdist, the tests of a folder run in one worker.

What a folder's tests share, such as an environment whose nodes take gigabytes of memory, is then there once. Workers
take the folders with the most tests first. The mark `xdist_group` could say the same, but xdist 3.8 does not set it
with pytest 9.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByFolder(LoadScopeScheduling):
    """Give a worker all tests of a folder below the arguments of pytest, or of a file that lies beside the folders."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        for argument in self.config.args:
            folder = Path(argument.partition("::")[0])
            if Path(path).is_relative_to(folder) and Path(path) != folder:
                return str(folder / Path(path).relative_to(folder).parts[0])
        return path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """Make the scheduler of this plugin take the place of xdist's own."""
    return ByFolder(config, log)

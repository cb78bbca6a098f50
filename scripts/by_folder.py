"""pytest plugin: with xdist, one worker runs all tests of a folder.

Tests of a folder therefore share one instance of expensive fixtures, such as an environment whose nodes take gigabytes
of memory. Workers take the folders with the most tests first. The mark `xdist_group` could do the same, but xdist 3.8
does not set it with pytest 9.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByFolder(LoadScopeScheduling):
    """Scheduler that gives one worker a subfolder of a pytest argument, or a file beside the subfolders."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        for argument in self.config.args:
            folder = Path(argument.partition("::")[0])
            if Path(path).is_relative_to(folder) and Path(path) != folder:
                return str(folder / Path(path).relative_to(folder).parts[0])
        return path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """Replace the scheduler of xdist with the one of this plugin."""
    return ByFolder(config, log)

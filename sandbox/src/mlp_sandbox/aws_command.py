"""A plugin of the `aws` command (version 1), which sends some services to AWS whatever AWS_ENDPOINT_URL says.

For rds in us-east-1 and a few others it puts an address of its own in place of the variable's; an address given on the
command line it leaves alone, so the variable's value is given to it as if it stood there.
https://docs.aws.amazon.com/cli/v1/topic/config-vars.html (section Plugins)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

CONFIGURATION = """\
[plugins]
sandbox = mlp_sandbox.aws_command
"""


def awscli_initialize(cli: Any) -> None:
    """Called by the `aws` command for every plugin that its configuration file names."""
    cli.register("before-building-argument-table-parser", use_endpoint)


def use_endpoint(parsed_globals: Any, **_: Any) -> None:
    if parsed_globals is not None and not parsed_globals.endpoint_url:
        parsed_globals.endpoint_url = os.environ.get("AWS_ENDPOINT_URL")


def write_configuration(path: Path) -> None:
    path.write_text(CONFIGURATION)

"""Plugin of the `aws` command (version 1) that sends every service to the endpoint in AWS_ENDPOINT_URL.

Without it the command sends some services to AWS whatever AWS_ENDPOINT_URL says: for rds in us-east-1 and a few others
it replaces the variable's value with an address of its own. It does not change an address from the command line, so the
plugin passes the variable's value as if it came from there. https://docs.aws.amazon.com/cli/v1/topic/config-vars.html
(section Plugins)
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
    """Register the plugin; the `aws` command calls this for every plugin that its configuration file names."""
    cli.register("before-building-argument-table-parser", use_endpoint)


def use_endpoint(parsed_globals: Any, **_: Any) -> None:
    if parsed_globals is not None and not parsed_globals.endpoint_url:
        parsed_globals.endpoint_url = os.environ.get("AWS_ENDPOINT_URL")


def write_configuration(path: Path) -> None:
    path.write_text(CONFIGURATION)

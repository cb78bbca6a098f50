"""The nodes that a program's node groups can have, as a scheduler is shown them."""

from typing import Any

import pytest

from cli.placement_nodes import Declared, nodes_of
from cli.recording import configuration, run_main


def announced(*, efa: bool) -> dict[str, Any]:
    config = configuration("prod")
    config["ml-platform:platform"]["cluster"]["gpu_pools"]["h100"]["efa"] = efa
    declared = [
        Declared(typ=each.typ, name=each.name, inputs=each.inputs) for each in run_main("prod", config).resources
    ]
    node = next(each for each in nodes_of(declared).objects if each.group == "nodes-h100-group")
    return node.manifest["status"]["allocatable"]


@pytest.mark.parametrize("efa", [True, False])
def test_nodes_of_a_pool_with_efa_announce_the_interfaces_of_their_launch_template(efa: bool):
    found = announced(efa=efa)
    assert found["nvidia.com/gpu"] == "8"
    assert found.get("vpc.amazonaws.com/efa") == ("32" if efa else None)

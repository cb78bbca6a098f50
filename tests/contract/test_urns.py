"""The resources of every committed environment keep their URNs: a new URN is a new resource in place of an old one.

The engine knows a resource by its URN, which holds the types of its parents and its logical name. A rename deletes and
creates the resource, with all that it holds, unless the program says where it was before:
https://www.pulumi.com/docs/iac/concepts/resources/options/aliases/
"""

from pathlib import Path

from mlp.recording import Recorded
from tests.contract.programs import Program

GOLDEN = Path(__file__).with_name("urns")
ADVICE = (
    "a resource that users have would be replaced: give it opts=pulumi.ResourceOptions(aliases=[...]) with its old "
    "name or parent; where it is really new or gone, run: python -m tests.contract.test_urns"
)


def urns(environment: Program) -> list[str]:
    """Return the URNs as the engine makes them, without stack and project: types of all parents, type and name.

    https://www.pulumi.com/docs/iac/concepts/resources/names/#urns
    """
    by_urn = {each.urn: each for each in environment.resources}

    def types(resource: Recorded) -> str:
        parent = by_urn.get(resource.parent)
        return f"{types(parent)}${resource.typ}" if parent else resource.typ

    return sorted(f"{types(each)}::{each.name}" for each in environment.resources)


def test_no_resource_of_a_committed_environment_changes_its_urn(environment: Program):
    golden = (GOLDEN / f"{environment.stack}.txt").read_text().split()
    now = urns(environment)
    assert {"gone": sorted(set(golden) - set(now)), "new": sorted(set(now) - set(golden))} == {"gone": [], "new": []}, (
        ADVICE
    )


if __name__ == "__main__":
    from tests.contract.programs import STACKS, program

    GOLDEN.mkdir(exist_ok=True)
    for stack in STACKS:
        (GOLDEN / f"{stack}.txt").write_text("\n".join(urns(program(stack))) + "\n")

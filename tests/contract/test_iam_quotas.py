"""Every role and policy of every environment fits IAM's quotas, with room to grow.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping

from components.iam_documents import INLINE_POLICIES_LIMIT, MANAGED_POLICY_LIMIT, TRUST_POLICY_LIMIT
from mlp.recording import Recorded
from tests.contract.arns import name_of, realistic
from tests.contract.programs import Program

ROLE, INLINE, MANAGED = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ATTACHED_LIMIT, ROLE_NAME_LIMIT = 10, 64
# What is left of each quota for projects, teams and branches that are still to come.
ROOM = 0.25


def size(environment: Program, document: str) -> int:
    """Return the number of characters as IAM counts them: without white space."""
    return len(json.dumps(json.loads(realistic(environment, document)), separators=(",", ":")))


def roles(environment: Program) -> dict[str, Recorded]:
    """Index roles by both references that policies and attachments use: the recording cloud's id, and the name."""
    found = environment.of_type(ROLE)
    return {key: each for each in found for key in (f"{each.name}-id", str(each.inputs.get("name", each.name)))}


def inline(environment: Program) -> Mapping[str, int]:
    """Return the total characters of all inline policies of each role."""
    known, found = roles(environment), defaultdict[str, int](int)
    for each in environment.of_type(INLINE):
        found[known[each.inputs["role"]].name] += size(environment, each.inputs["policy"])
    return found


def above(limit: float, sizes: Mapping[str, int]) -> dict[str, int]:
    return {name: found for name, found in sizes.items() if found > limit}


def test_inline_policies_of_a_role_fit_together_with_room_to_grow(environment: Program):
    sizes = inline(environment)
    assert len(sizes) >= 10
    assert above(INLINE_POLICIES_LIMIT * (1 - ROOM), sizes) == {}


def test_trust_policies_fit_with_room_to_grow(environment: Program):
    sizes = {each.name: size(environment, each.inputs["assumeRolePolicy"]) for each in environment.of_type(ROLE)}
    assert sizes
    assert above(TRUST_POLICY_LIMIT * (1 - ROOM), sizes) == {}


def test_managed_policies_fit(environment: Program):
    """They grow with the program only, not with settings, so they need no spare room."""
    sizes = {each.name: size(environment, each.inputs["policy"]) for each in environment.of_type(MANAGED)}
    assert sizes
    assert above(MANAGED_POLICY_LIMIT, sizes) == {}


def test_no_role_has_more_than_ten_managed_policies(environment: Program):
    known, counts = roles(environment), defaultdict[str, int](int)
    for each in environment.of_type(ATTACHED):
        counts[known[each.inputs["role"]].name] += 1
    assert counts
    assert above(ATTACHED_LIMIT, counts) == {}


def names(environment: Program) -> Iterator[str]:
    for each in environment.of_type(ROLE):
        yield name_of(environment.stack, each)


def test_names_of_roles_are_not_too_long(environment: Program):
    assert [name for name in names(environment) if len(name) > ROLE_NAME_LIMIT] == []


def test_documents_are_measured_with_arns_as_long_as_awss(environment: Program):
    """The recording cloud's ARNs are shorter: measured with them, a document could pass that IAM rejects."""
    [policy] = [each for each in environment.of_type(INLINE) if each.name == "platform-mlflow-server-pod-policy"]
    assert "arn:aws:mock" in policy.inputs["policy"]
    assert "arn:aws:mock" not in realistic(environment, policy.inputs["policy"])
    assert size(environment, policy.inputs["policy"]) > len(policy.inputs["policy"])

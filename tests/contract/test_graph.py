"""The resource graph of every environment: parents, names and locations."""

import json
import re
from collections import Counter

from mlp.recording import PROJECT
from tests.contract.programs import COMPONENT, STACKS, Program

# Deleting one of these loses data that cannot be made again.
STATEFUL = (
    "aws:kms/key:Key",
    "aws:s3/bucket:Bucket",
    "aws:ecr/repository:Repository",
    "aws:secretsmanager/secret:Secret",
    "aws:rds/instance:Instance",
)


def test_dev_staging_and_prod_are_committed():
    assert STACKS == ["dev", "prod", "staging"]


def test_every_resource_belongs_to_a_component(environment: Program):
    by_urn = {resource.urn: resource for resource in environment.resources}
    for resource in environment.aws:
        parent = by_urn.get(resource.parent)
        assert parent is not None, f"{resource.name} has no parent"
        assert parent.typ.startswith(COMPONENT), f"{resource.name} is a child of {parent.typ}"


def test_every_component_hangs_below_the_environment(environment: Program):
    by_urn = {resource.urn: resource for resource in environment.resources}
    for resource in environment.resources:
        if not resource.typ.startswith(COMPONENT) or resource.typ == f"{COMPONENT}Environment":
            continue
        chain = [resource]
        while chain[-1].parent in by_urn:
            chain.append(by_urn[chain[-1].parent])
        assert chain[-1].typ == f"{COMPONENT}Environment", f"{resource.name} is outside the environment"


def test_logical_names_are_unique_whatever_the_type(environment: Program):
    """The engine requires less (unique per type and parent), but people search by name."""
    counts = Counter(resource.name for resource in environment.aws)
    assert {name: count for name, count in counts.items() if count > 1} == {}


def test_logical_names_come_neither_from_positions_nor_from_address_ranges(environment: Program):
    assert [each.name for each in environment.aws if re.search(r"-\d+$|\d+\.\d+\.\d+|\d+-\d+-\d+-\d+", each.name)] == []


def test_logical_names_start_with_the_name_of_their_component(environment: Program):
    by_urn = {resource.urn: resource for resource in environment.resources}
    assert [each.name for each in environment.aws if not each.name.startswith(f"{by_urn[each.parent].name}-")] == []


def test_everything_is_deployed_through_the_one_provider_of_the_environment(environment: Program):
    [provider] = environment.of_type("pulumi:providers:aws")
    assert {resource.provider.rsplit("::", 1)[0] for resource in environment.aws} == {provider.urn}
    assert provider.inputs["region"] == environment.settings.region


def test_the_provider_tags_everything_for_cost_and_ownership(environment: Program):
    [provider] = environment.of_type("pulumi:providers:aws")
    # Inputs of providers travel as JSON.
    assert json.loads(provider.inputs["defaultTags"])["tags"] == {
        "environment": environment.stack,
        "project": PROJECT,
        "team": environment.settings.tags.team,
        "cost-center": environment.settings.tags.cost_center,
        "owner": environment.settings.tags.owner,
        "managed-by": "pulumi",
    }


def test_what_holds_data_is_protected_exactly_where_the_settings_say(environment: Program):
    stateful = [resource for resource in environment.aws if resource.typ in STATEFUL]
    assert {resource.typ for resource in stateful} == set(STATEFUL), "the table names a type that is not deployed"
    assert {resource.protect for resource in stateful} == {environment.settings.protect}


def test_what_can_be_made_again_is_not_protected(environment: Program):
    network = [each for each in environment.aws if each.typ.startswith("aws:ec2/") and each.name.startswith("network-")]
    assert network
    assert [each.name for each in network if each.protect] == []


def test_what_a_change_of_settings_replaces_is_not_protected(environment: Program):
    """Pulumi never replaces a protected resource: prod could never change the number of images it keeps."""
    replaced = ("aws:ecr/lifecyclePolicy:LifecyclePolicy", "aws:rds/parameterGroup:ParameterGroup")
    found = [each for each in environment.aws if each.typ in replaced]
    assert {each.typ for each in found} == set(replaced)
    assert [each.name for each in found if each.protect] == []


# Longest names that AWS takes, for types where it is near: pattern of Pulumi.yaml with seven digits at the end.
LIMITS = {"aws:iam/role:Role": 64, "aws:eks/nodeGroup:NodeGroup": 63, "aws:ec2/launchTemplate:LaunchTemplate": 128}


def test_names_that_are_made_up_are_not_too_long(environment: Program):
    for each in environment.aws:
        if each.typ in LIMITS and "name" not in each.inputs:
            made_up = f"{PROJECT}-{environment.stack}-{each.name}-1234567"
            assert len(made_up) <= LIMITS[each.typ], made_up


def test_the_environment_is_in_every_fixed_name(environment: Program):
    """Two environments share an account, so fixed names without the environment would clash."""
    fixed = [
        resource.inputs[key]
        for resource in environment.aws
        for key in ("name", "identifier")
        if isinstance(resource.inputs.get(key), str)
    ]
    prefix = f"{PROJECT}-{environment.stack}"
    assert fixed
    assert [name for name in fixed if not re.match(rf"(alias/|/aws/rds/instance/|/aws/eks/)?{prefix}[-/]", name)] == []

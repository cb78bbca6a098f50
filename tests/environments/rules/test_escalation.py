"""No role of any environment can escalate its privileges: a search over all permissions finds no path."""

from dataclasses import replace
from itertools import product

import pytest

from mlp.recording import ACCOUNT, PROJECT
from mlp_sandbox.emulator.authorization.conditions import as_list
from tests.contract.programs import STACKS, Program, program
from tests.environments.rules.escalation.search import EVERYTHING, Way, may, ways
from tests.environments.rules.escalation.trust import open_trusts
from tests.environments.rules.escalation.world import Thing, world

OF_EKS = "EKS demands AWS's own policy for it, which goes over the account; its trust names this cluster alone"
# (principal, action): why it is no way to become more. Anything else that is found fails the test.
KNOWN = {
    **{
        ("cluster-role", action): OF_EKS
        for action in (
            "ec2:AttachVolume",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateTags",
            "ec2:DeleteSecurityGroup",
            "ec2:DeleteVolume",
            "ec2:DetachNetworkInterface",
            "ec2:ModifyInstanceAttribute",
            "ec2:ModifyNetworkInterfaceAttribute",
        )
    },
    ("cluster-role", "kms:Decrypt"): "it decrypts the secrets of the Kubernetes API, with their key and no other",
    **{
        ("node-addons-vpc-cni-role", action): OF_EKS
        for action in ("ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute")
    },
    ("identities-deploy", "secretsmanager:TagResource"): "RDS tags the secret that it keeps in the caller's name; tags "
    "that begin with aws: decide who reads it, and nobody may give those",
}


def found_in(environment: Program) -> set[Way]:
    made = world(environment)
    return {way for principal in made.principals.values() for way in ways(made, principal)}


def test_no_role_becomes_more_than_it_is(environment: Program):
    assert sorted(way for way in found_in(environment) if (way.by, way.action) not in KNOWN) == []


def test_every_reason_is_still_needed():
    needed = {(way.by, way.action) for stack in STACKS for way in found_in(program(stack))}
    assert set(KNOWN) - needed == set()


def test_no_role_lets_in_more_than_those_it_is_for(environment: Program):
    assert open_trusts(world(environment)) == {}


def test_every_role_is_bounded_but_those_with_policies_of_aws_and_those_of_ci(environment: Program):
    principals = world(environment).principals.values()
    unbounded = {each.name for each in principals if not each.bounded}
    assert unbounded == {
        *("identities-preview", "identities-deploy", "identities-push"),
        *("cluster-role", "node-role-instances", "node-addons-vpc-cni-role", "service-addons-ebs-csi-role"),
    }
    assert {each.name for each in principals if each.uses_aws_policies} <= unbounded


def test_the_boundary_takes_nothing_away_that_a_role_needs(environment: Program):
    """A permission that its own policy grants and the boundary does not would fail on AWS only."""
    made = world(environment)
    tags = {"aws:resourcetag/project": PROJECT, "aws:resourcetag/environment": environment.stack}
    owner = {"aws:resourcetag/aws:rds:primarydbinstancearn": f"arn:aws:rds:us-east-1:{ACCOUNT}:db:{made.prefix}-mlflow"}
    refused: list[tuple[str, str, str]] = []
    asked = 0
    for role in (each for each in made.principals.values() if each.boundary is not None):
        alone = replace(role, policies=(EVERYTHING,))
        for statement in (each for policy in role.policies for each in policy.statements):
            given = {
                key.lower(): as_list(value)[0] for keys in statement.conditions.values() for key, value in keys.items()
            }
            for action, resource in product(statement.actions, statement.resources or ()):
                asked += 1
                if not may(made, alone, action, Thing(resource, "", {**tags, **owner}), given):
                    refused.append((role.name, action, resource))
    assert refused == []
    assert asked > 30


@pytest.mark.parametrize("stack", STACKS)
def test_the_search_looks_at_roles_of_every_kind(stack: str):
    names = set(world(program(stack)).principals)
    assert {"access-platform", "platform-mlflow-server-pod-role", "network-flow-logs-delivery"} <= names
    for workload in program(stack).of_type("mlops:index:ProjectWorkload"):
        assert {f"{workload.name}-training-{part}-pod-role" for part in ("conductor", "fit")} <= names

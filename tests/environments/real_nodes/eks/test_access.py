"""Access to the cluster: principals of the account get it from their access entries only."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from botocore.signers import RequestSigner

from mlp_sandbox.environment import REGION
from mlp_sandbox.testing.box import Box, eventually
from tests.environments.real_nodes.deployed import CLUSTER, Deployed
from tests.environments.real_nodes.eks.conftest import AsRole

TEAM, PROJECT = "data-science", "data-science-tumour-diagnosis"
UNAUTHORIZED = "You must be logged in to the server"


@pytest.fixture(scope="module")
def team_namespace(deployed: Deployed) -> Iterator[str]:
    with deployed.namespace(TEAM) as name:
        yield name


def token(box: Box) -> str:
    """Return a token as `aws eks get-token` creates it, with the sandbox's own credentials and the real clock."""
    sts = box.client("sts")
    signer = RequestSigner(
        sts.meta.service_model.service_id, REGION, "sts", "v4", sts._request_signer._credentials, sts.meta.events
    )
    url = f"{box.instance.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = {"method": "GET", "url": url, "body": {}, "headers": {"x-k8s-aws-id": CLUSTER}, "context": {}}
    signed = signer.generate_presigned_url(request, region_name=REGION, expires_in=60, operation_name="")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(str(signed).encode()).decode().rstrip("=")


def with_token(deployed: Deployed, given: str) -> str:
    """Return kubectl's output for a user with only a token."""
    server, ca = deployed.outputs["cluster_endpoint"], deployed.folder.pki / "ca.crt"
    command = ("--kubeconfig", "/dev/null", "--server", server, "--certificate-authority", str(ca), "--token", given)
    return deployed.box.kubectl(*command, "get", "namespaces", ok=False)


def test_a_token_is_good_for_as_long_as_on_eks_and_then_for_nothing(deployed: Deployed) -> None:
    assert "kube-system" in with_token(deployed, token(deployed.box))
    # 15 minutes: https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16), tick=True):
        expired = token(deployed.box)
    assert UNAUTHORIZED in with_token(deployed, expired)


def test_a_token_that_somebody_wrote_himself_is_nobodys(deployed: Deployed) -> None:
    given = token(deployed.box)
    assert UNAUTHORIZED in with_token(deployed, given[:-6] + "AAAAAA")


def test_a_principal_without_an_access_entry_is_not_let_in_whatever_the_account_allows_it(deployed: Deployed) -> None:
    iam, user = deployed.box.client("iam"), "outsider"
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    credentials = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    try:
        listed = ("aws", "eks", "list-clusters")
        eventually(lambda: CLUSTER in deployed.run_as(credentials, *listed, ok=False).stdout, "its policy counts")
        done = deployed.run_as(credentials, "kubectl", "get", "pods", ok=False)
    finally:
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=user, PolicyName="all")
        iam.delete_user(UserName=user)
    assert done.returncode == 1
    assert UNAUTHORIZED in done.stderr


def test_a_team_works_in_its_own_namespace_and_nowhere_else(
    deployed: Deployed, team_namespace: str, as_role: AsRole
) -> None:
    team = as_role("team-data-science")
    create = ("kubectl", "create", "configmap", "notes", "--from-literal=a=1", "--namespace")
    deployed.run_as(team, *create, team_namespace)
    refused = deployed.run_as(team, *create, "ml-platform", ok=False)
    assert refused.returncode == 1
    assert 'configmaps is forbidden: User "arn:aws:sts::123456789012:assumed-role/ml-platform-dev' in refused.stderr
    assert 'cannot create resource "configmaps" in API group "" in the namespace "ml-platform"' in refused.stderr
    assert "no EKS access policy of" in refused.stderr


@pytest.mark.parametrize(
    ("role", "question", "answer"),
    [
        ("team-data-science", ("create", "jobs", "-n", TEAM), "yes"),
        ("team-data-science", ("create", "jobs", "-n", f"{TEAM}-vision"), "yes"),
        ("team-data-science", ("create", "rolebindings", "-n", TEAM), "no"),
        ("team-data-science", ("list", "pods", "-n", "ml-platform"), "yes"),
        ("team-data-science", ("create", "pods", "--subresource=portforward", "-n", "ml-platform"), "yes"),
        ("team-data-science", ("create", "pods", "--subresource=exec", "-n", "ml-platform"), "no"),
        ("team-data-science", ("delete", "pods", "-n", "ml-platform"), "no"),
        ("team-data-science", ("create", "pods", "--subresource=portforward", "-n", "cluster-services"), "no"),
        ("team-data-science", ("update", "leases/promotion", "-n", PROJECT), "yes"),
        ("team-data-science", ("update", "leases/other", "-n", PROJECT), "no"),
        ("team-data-science", ("update", "leases/promotion", "-n", "ml-platform"), "no"),
        ("team-data-science", ("list", "secrets", "-n", "kube-system"), "no"),
        ("team-data-science", ("list", "nodes"), "yes"),
        ("team-data-science", ("delete", "nodes"), "no"),
        ("platform", ("create", "rolebindings", "-n", "ml-platform"), "yes"),
        ("platform", ("list", "secrets", "-n", TEAM), "yes"),
        ("platform", ("create", "pods", "--subresource=portforward", "-n", "ml-platform"), "yes"),
        ("platform", ("update", "leases/promotion", "-n", PROJECT), "yes"),
        ("platform", ("create", "clusterrolebindings"), "no"),
        ("admin", ("create", "clusterrolebindings"), "yes"),
        ("admin", ("*", "*"), "yes"),
    ],
)
def test_each_role_may_what_its_policy_says(
    deployed: Deployed, as_role: AsRole, role: str, question: tuple[str, ...], answer: str
) -> None:
    done = deployed.run_as(as_role(role), "kubectl", "auth", "can-i", *question, ok=False)
    assert done.stdout.split()[0] == answer
    assert done.returncode == (answer == "no")


def test_a_team_finds_the_cluster_as_itself_and_changes_nothing_of_it(
    deployed: Deployed, as_role: AsRole, tmp_path: Path
) -> None:
    team = {**as_role("team-data-science"), "KUBECONFIG": str(tmp_path / "kubeconfig")}
    deployed.run_as(team, "aws", "eks", "update-kubeconfig", "--name", CLUSTER)
    assert "Ready" in deployed.run_as(team, "kubectl", "get", "nodes").stdout
    denied = deployed.run_as(team, "aws", "eks", "delete-cluster", "--name", CLUSTER, ok=False)
    assert denied.returncode
    assert "AccessDenied" in denied.stderr


def test_the_account_lists_the_access_that_the_program_declared(deployed: Deployed) -> None:
    eks = deployed.box.client("eks")
    declared = deployed.copy.resources("aws:eks/accessEntry:AccessEntry").values()
    principals = {each["outputs"]["principalArn"] for each in declared}
    assert {role.rpartition("-cluster-")[2] for role in principals if "-cluster-" in role} == {
        *("admin", "platform", "team-data-science")
    }
    command = ("aws", "eks", "list-access-entries", "--cluster-name", CLUSTER, "--query", "accessEntries")
    listed: set[str] = set(json.loads(deployed.box.run(*command).stdout))
    # EKS itself adds one for whoever made the cluster, one for the nodes' role and one for its own service.
    assert principals <= listed
    assert not [each for each in listed - principals if "team" in each or "platform-dev-ci" in each]
    wanted = {
        (each["outputs"]["principalArn"], each["outputs"]["policyArn"])
        for each in deployed.copy.resources("aws:eks/accessPolicyAssociation:AccessPolicyAssociation").values()
    }
    found = {
        (principal, policy["policyArn"])
        for principal in principals
        for policy in eks.list_associated_access_policies(clusterName=CLUSTER, principalArn=principal)[
            "associatedAccessPolicies"
        ]
    }
    assert found == wanted

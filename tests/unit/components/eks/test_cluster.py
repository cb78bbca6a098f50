"""The control plane: private, encrypted, logged into our own log group, and removable in the right order."""

from typing import Any

import pytest

from components.eks.arguments import ClusterArgs
from components.eks.cluster import Cluster
from components.eks.spec import ClusterSpec
from components.eks.versions import ADDONS, MINORS, NODE_RELEASES
from mlp.recording import Deploy, RecordingCloud
from tests.unit.components.eks.specs import CLUSTER as SOUND
from tests.unit.components.eks.specs import cluster_spec, refusal
from tests.unit.components.policies import ACCOUNT, PREFIX, SCOPE, given, statements

CLUSTER, RULE = "aws:eks/cluster:Cluster", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
NAME = f"{PREFIX}-eks"


def args(**changes: Any) -> ClusterArgs:
    return ClusterArgs(
        **given(
            {
                "account": ACCOUNT,
                "prefix": PREFIX,
                "spec": cluster_spec(),
                "vpc_id": "vpc-1",
                "subnet_ids": ("subnet-1", "subnet-2"),
                "service_cidr": "172.20.0.0/16",
                "secrets_key_arn": "arn:cluster-key",
                "logs_key_arn": "arn:logs-key",
            },
            changes,
        )
    )


def cluster(deploy: Deploy, **changes: Any) -> tuple[Cluster, RecordingCloud]:
    return deploy(lambda: Cluster("cluster", args(**changes)))


def inputs(deploy: Deploy, **changes: Any) -> dict[str, Any]:
    _, cloud = cluster(deploy, **changes)
    [only] = cloud.of_type(CLUSTER)
    return only.inputs


def test_the_api_is_private_unless_ranges_are_listed(deploy: Deploy):
    closed = inputs(deploy)["vpcConfig"]
    assert (closed["endpointPrivateAccess"], closed["endpointPublicAccess"]) == (True, False)
    assert "publicAccessCidrs" not in closed


def test_listed_ranges_and_no_others_reach_the_public_api(deploy: Deploy):
    listed = inputs(deploy, spec=cluster_spec(public_access=True, api_cidrs=["203.0.113.0/24"]))["vpcConfig"]
    assert (listed["endpointPrivateAccess"], listed["endpointPublicAccess"]) == (True, True)
    assert listed["publicAccessCidrs"] == ["203.0.113.0/24"]


def test_named_private_ranges_reach_the_private_api_over_https(deploy: Deploy):
    _, cloud = cluster(deploy, spec=cluster_spec(private_cidrs={"vpn": "10.200.0.0/16"}))
    [rule] = cloud.of_type(RULE)
    assert rule.name == "cluster-from-vpn"
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"], rule.inputs["toPort"]) == ("10.200.0.0/16", 443, 443)
    [group] = cloud.of_type("aws:ec2/securityGroup:SecurityGroup")
    assert cloud.of_type(CLUSTER)[0].inputs["vpcConfig"]["securityGroupIds"] == [f"{group.name}-id"]


def test_secrets_are_encrypted_with_a_key_of_their_own_that_the_control_plane_may_use(deploy: Deploy):
    _, cloud = cluster(deploy)
    assert cloud.of_type(CLUSTER)[0].inputs["encryptionConfig"] == {
        "provider": {"keyArn": "arn:cluster-key"},
        "resources": ["secrets"],
    }
    allowed = statements(cloud.named("cluster-role-encryption").inputs["policy"])
    assert {each["Resource"] for each in allowed.values()} == {"arn:cluster-key"}


def test_the_log_group_is_there_before_the_cluster_writes_to_it(deploy: Deploy):
    _, cloud = cluster(deploy, spec=cluster_spec(log_types=["audit"], log_retention_days=30))
    [group], [made] = cloud.of_type("aws:cloudwatch/logGroup:LogGroup"), cloud.of_type(CLUSTER)
    assert group.inputs["name"] == f"/aws/eks/{NAME}/cluster"
    assert (group.inputs["retentionInDays"], group.inputs["kmsKeyId"]) == (30, "arn:logs-key")
    assert group.urn in made.depends_on
    assert made.inputs["enabledClusterLogTypes"] == ["audit"]


def test_only_eks_for_this_cluster_takes_its_role(deploy: Deploy):
    _, cloud = cluster(deploy)
    [trust] = statements(cloud.named("cluster-role").inputs["assumeRolePolicy"]).values()
    assert trust["Principal"] == {"Service": "eks.amazonaws.com"}
    assert trust["Condition"] == {
        "ArnLike": {"aws:SourceArn": SCOPE.arn("eks", f"cluster/{NAME}")},
        "StringEquals": {"aws:SourceAccount": SCOPE.account_id},
    }


def test_who_may_enter_is_said_by_access_entries_and_not_by_a_map_inside(deploy: Deploy):
    assert inputs(deploy)["accessConfig"]["authenticationMode"] == "API"


def test_add_ons_are_ours_alone(deploy: Deploy):
    assert inputs(deploy)["bootstrapSelfManagedAddons"] is False


@pytest.mark.parametrize("protected", [True, False])
def test_deletion_protection_and_support_are_as_asked(deploy: Deploy, protected: bool):
    made = inputs(deploy, spec=cluster_spec(deletion_protection=protected, upgrade_policy="extended"))
    assert made["deletionProtection"] is protected
    assert made["upgradePolicy"] == {"supportType": "EXTENDED"}


def test_the_issuer_is_known_to_iam_without_a_thumbprint(deploy: Deploy):
    _, cloud = cluster(deploy)
    [provider] = cloud.of_type("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    assert provider.inputs["url"].startswith("https://oidc.eks.")
    assert "thumbprintLists" not in provider.inputs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subnet_ids": ("subnet-1",)}, "subnets of at least two zones, got 1"),
        ({"prefix": "X"}, "prefix must be"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        args(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "1.20"}, "version: got \"1.20\"; write one of '1.33', "),
        ({"log_types": ["audits"]}, "log_types[0]: got \"audits\"; write one of 'api', 'audit'"),
        ({"log_retention_days": 31}, "log_retention_days: got 31; CloudWatch keeps logs for fixed periods only"),
        ({"private_cidrs": {"vpn": "10.0.0.0/8", "VPN": "10.1.0.0/16"}}, "write up to 20 lower-case letters"),
        ({"pods_per_node": 7}, "pods_per_node: got 7; write 8 or more"),
        ({"pods_per_node": 251}, "pods_per_node: got 251; write 250 or less"),
    ],
)
def test_bad_specs_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    assert message in refusal(ClusterSpec, {**SOUND, **changes})


def test_every_minor_has_every_add_on_and_a_release_of_the_nodes_image():
    assert tuple(ADDONS) == tuple(NODE_RELEASES) == MINORS
    assert len({frozenset(versions) for versions in ADDONS.values()}) == 1
    for minor, versions in ADDONS.items():
        assert versions["kube-proxy"].startswith(f"v{minor}.")
        assert NODE_RELEASES[minor].startswith(f"{minor}.")
        assert all("-eksbuild." in version for version in versions.values())

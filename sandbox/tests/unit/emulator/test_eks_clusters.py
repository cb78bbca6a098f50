"""Clusters of the emulated EKS: stored fields, rejections, and a status that only the data plane changes."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from mlp_sandbox.contracts.desired import ClusterStatus
from sandbox.tests.unit.emulator.eks_world import World, trust
from sandbox.tests.unit.emulator.emulated import AUTHORITY, Emulated, Plane


def _describe(world: World) -> dict[str, Any]:
    return world.eks.describe_cluster(name="ml")["cluster"]


def test_what_a_cluster_is_made_with_is_read_back(world: World):
    key = world.emulated.client("kms").create_key()["KeyMetadata"]["Arn"]
    world.cluster(
        resourcesVpcConfig={
            "subnetIds": world.subnets,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": ["203.0.113.0/24"],
        },
        upgradePolicy={"supportType": "STANDARD"},
        zonalShiftConfig={"enabled": True},
        deletionProtection=True,
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": key}}],
        logging={"clusterLogging": [{"types": ["audit", "api"], "enabled": True}]},
        tags={"team": "ml"},
    )
    cluster = _describe(world)
    assert cluster["status"] == "ACTIVE"
    assert cluster["accessConfig"] == {
        "bootstrapClusterCreatorAdminPermissions": True,
        "authenticationMode": "API",
    }
    assert cluster["upgradePolicy"] == {"supportType": "STANDARD"}
    assert cluster["zonalShiftConfig"] == {"enabled": True}
    assert cluster["deletionProtection"] is True
    assert cluster["encryptionConfig"] == [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    assert cluster["logging"]["clusterLogging"] == [
        {"types": ["api", "audit"], "enabled": True},
        {"types": ["authenticator", "controllerManager", "scheduler"], "enabled": False},
    ]
    assert cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "172.20.0.0/16"
    assert cluster["resourcesVpcConfig"]["vpcId"] == world.vpc
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["203.0.113.0/24"]
    assert cluster["tags"] == {"team": "ml"}


def test_the_cluster_has_a_security_group_of_its_own_until_it_is_deleted(world: World):
    group = world.cluster()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    [found] = world.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert found["VpcId"] == world.vpc
    assert found["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group
    assert {"Key": "aws:eks:cluster-name", "Value": "ml"} in found["Tags"]
    world.eks.delete_cluster(name="ml")
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        world.ec2.describe_security_groups(GroupIds=[group])


def test_without_a_data_plane_endpoint_and_authority_are_whole_and_stay_the_same(world: World):
    world.cluster()
    cluster = _describe(world)
    pem = base64.b64decode(cluster["certificateAuthority"]["data"])
    authority = x509.load_pem_x509_certificate(pem)
    authority.verify_directly_issued_by(authority)
    assert cluster["identity"]["oidc"]["issuer"].rpartition("/")[2] in cluster["endpoint"]
    assert _describe(world) == cluster


def test_the_control_plane_logs_into_a_group_that_somebody_made_or_else_into_its_own(world: World):
    logs = world.emulated.client("logs")
    logging = {"clusterLogging": [{"types": ["audit"], "enabled": True}]}
    logs.create_log_group(logGroupName="/aws/eks/owned/cluster", tags={"owner": "program"})
    world.cluster("owned", logging=logging)
    world.cluster("other", logging=logging)
    groups = {item["logGroupName"] for item in logs.describe_log_groups()["logGroups"]}
    assert groups == {"/aws/eks/owned/cluster", "/aws/eks/other/cluster"}
    assert logs.list_tags_log_group(logGroupName="/aws/eks/owned/cluster")["tags"] == {"owner": "program"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "no spaces"}, "The name 'no spaces' is invalid"),
        ({"version": "1.30"}, "unsupported Kubernetes version 1.30; there are 1.33, 1.34, 1.35, 1.36"),
        ({"roleArn": "arn:aws:iam::123456789012:role/nobody"}, "could not be assumed because it does not exist"),
        ({"resourcesVpcConfig": {"subnetIds": ["subnet-1", "subnet-2"]}}, "The subnet ID 'subnet-1' does not exist"),
        ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.10.0.0/20"}}, "overlaps with the VPC's range"),
        ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "8.8.0.0/16"}}, "must lie in 10.0.0.0/8"),
        ({"kubernetesNetworkConfig": {"ipFamily": "ipv6"}}, "ipv6 is not emulated"),
        ({"computeConfig": {"enabled": True}}, "does not emulate EKS Auto Mode; use managed node groups"),
        ({"tags": {"aws:mine": "1"}}, "Tag keys cannot begin with aws:"),
    ],
)
def test_a_cluster_that_eks_would_refuse_is_refused_by_name(world: World, changes: dict[str, Any], message: str):
    with pytest.raises(ClientError) as caught:
        world.cluster(**changes)
    assert message in caught.value.response["Error"]["Message"]
    assert world.eks.list_clusters()["clusters"] == []


def test_subnets_of_one_zone_and_endpoints_nobody_reaches_are_refused(world: World):
    alone = [world.subnets[0], world.subnet("10.10.200.0/24", "a")]
    with pytest.raises(ClientError, match="at least two different AZs"):
        world.cluster(resourcesVpcConfig={"subnetIds": alone})
    closed = {"subnetIds": world.subnets, "endpointPublicAccess": False, "endpointPrivateAccess": False}
    with pytest.raises(ClientError, match="Private and public endpoint access cannot be false"):
        world.cluster(resourcesVpcConfig=closed)
    with pytest.raises(ClientError, match="not allowed in publicAccessCidrs"):
        world.cluster(resourcesVpcConfig={"subnetIds": world.subnets, "publicAccessCidrs": ["10.0.0.0/8"]})


def test_a_role_that_trusts_another_service_cannot_run_a_cluster(world: World):
    with pytest.raises(ClientError, match="the trusted entity is not correct"):
        world.cluster(roleArn=world.role("wrong", trust("ec2.amazonaws.com")))


def test_the_default_service_range_keeps_clear_of_the_vpc(world: World):
    vpc = world.ec2.create_vpc(CidrBlock="172.20.0.0/16")["Vpc"]["VpcId"]
    world.vpc = vpc
    subnets = [world.subnet(f"172.20.{number}.0/24", zone) for number, zone in enumerate("ab")]
    made = world.cluster(resourcesVpcConfig={"subnetIds": subnets})
    assert made["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "10.100.0.0/16"


def test_a_protected_cluster_and_one_with_nodes_stay(world: World):
    world.cluster(deletionProtection=True)
    with pytest.raises(ClientError, match="deletion protection is enabled"):
        world.eks.delete_cluster(name="ml")
    world.eks.update_cluster_config(name="ml", deletionProtection=False)
    world.node_group(scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0})
    with pytest.raises(ClientError, match="Cluster has nodegroups attached: general") as caught:
        world.eks.delete_cluster(name="ml")
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"
    world.eks.delete_nodegroup(clusterName="ml", nodegroupName="general")
    assert world.eks.delete_cluster(name="ml")["cluster"]["status"] == "DELETING"
    with pytest.raises(ClientError, match="No cluster found for name: ml"):
        world.eks.describe_cluster(name="ml")


def test_a_cluster_is_what_its_data_plane_says(with_plane: Emulated, plane: Plane):
    world = World(with_plane)
    made = world.cluster()
    assert made["status"] == "CREATING"
    assert "endpoint" not in _describe(world)
    asked = plane.asked_until(lambda cluster: cluster.name == "ml")
    plane.answers[asked.cluster_id] = ClusterStatus(
        state="active", endpoint="https://198.18.0.2", certificate_authority=AUTHORITY
    )
    cluster = _describe(world)
    assert (cluster["status"], cluster["endpoint"]) == ("ACTIVE", "https://198.18.0.2")
    assert base64.b64decode(cluster["certificateAuthority"]["data"]).decode() == AUTHORITY
    plane.answers[asked.cluster_id] = ClusterStatus(state="failed", reason="etcd does not start: no space left")
    cluster = _describe(world)
    assert cluster["status"] == "FAILED"
    assert cluster["health"]["issues"][0]["message"] == "etcd does not start: no space left"


def test_one_kind_of_change_a_call_and_none_that_changes_nothing(world: World):
    world.cluster()
    with pytest.raises(ClientError, match="Only one type of update can be allowed"):
        world.eks.update_cluster_config(name="ml", deletionProtection=True, upgradePolicy={"supportType": "STANDARD"})
    with pytest.raises(ClientError, match="No changes needed for the logging config provided"):
        world.eks.update_cluster_config(name="ml", logging={"clusterLogging": [{"types": ["api"], "enabled": False}]})
    with pytest.raises(ClientError, match="already at the desired configuration"):
        world.eks.update_cluster_config(name="ml", resourcesVpcConfig={"endpointPublicAccess": True})


def test_an_update_keeps_what_it_does_not_name_and_can_be_followed(world: World):
    world.cluster()
    begun = world.eks.update_cluster_config(
        name="ml", resourcesVpcConfig={"endpointPrivateAccess": True, "publicAccessCidrs": ["203.0.113.7/32"]}
    )["update"]
    assert (begun["status"], begun["type"]) == ("InProgress", "EndpointAccessUpdate")
    followed = world.eks.describe_update(name="ml", updateId=begun["id"])["update"]
    assert followed["status"] == "Successful"
    assert world.eks.list_updates(name="ml")["updateIds"] == [begun["id"]]
    config = _describe(world)["resourcesVpcConfig"]
    assert config["subnetIds"] == world.subnets
    assert config["endpointPrivateAccess"] is True
    assert config["publicAccessCidrs"] == ["203.0.113.7/32"]


def test_a_cluster_keeps_to_the_zones_that_it_was_made_in(world: World):
    world.cluster()
    third = world.subnet("10.10.128.0/24", "c")
    with pytest.raises(ClientError, match="exact AZ set 'us-east-1a,us-east-1b'"):
        world.eks.update_cluster_config(name="ml", resourcesVpcConfig={"subnetIds": [*world.subnets, third]})
    another = world.subnet("10.10.160.0/24", "b")
    world.eks.update_cluster_config(name="ml", resourcesVpcConfig={"subnetIds": [world.subnets[0], another]})
    assert _describe(world)["resourcesVpcConfig"]["subnetIds"] == [world.subnets[0], another]


def test_versions_go_up_one_by_one_and_never_past_their_nodes(world: World):
    world.cluster(version="1.34")
    with pytest.raises(ClientError, match=r"minor version update from 1\.34 to 1\.36"):
        world.eks.update_cluster_version(name="ml", version="1.36")
    with pytest.raises(ClientError, match=r"cannot be rolled back from 1\.34 to 1\.33"):
        world.eks.update_cluster_version(name="ml", version="1.33")
    world.node_group(scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0})
    world.eks.update_cluster_version(name="ml", version="1.35")
    assert _describe(world)["version"] == "1.35"
    assert world.described()["version"] == "1.34"
    with pytest.raises(ClientError, match=r"Nodegroups general \(1.34\) must be updated to match cluster version 1.35"):
        world.eks.update_cluster_version(name="ml", version="1.36")
    world.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", version="1.35")
    world.eks.update_cluster_version(name="ml", version="1.36")


def test_the_authentication_mode_moves_on_only(world: World):
    world.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    with pytest.raises(ClientError, match=r"must be set to one of \[API, API_AND_CONFIG_MAP\]"):
        world.eks.list_access_entries(clusterName="ml")
    with pytest.raises(ClientError, match="Unsupported authentication mode update from CONFIG_MAP to API"):
        world.eks.update_cluster_config(name="ml", accessConfig={"authenticationMode": "API"})
    for mode in ("API_AND_CONFIG_MAP", "API"):
        world.eks.update_cluster_config(name="ml", accessConfig={"authenticationMode": mode})
    with pytest.raises(ClientError, match="Unsupported authentication mode update from API to CONFIG_MAP"):
        world.eks.update_cluster_config(name="ml", accessConfig={"authenticationMode": "CONFIG_MAP"})


def test_versions_on_offer_say_which_support_they_have(world: World):
    versions = world.eks.describe_cluster_versions()["clusterVersions"]
    assert [item["clusterVersion"] for item in versions] == ["1.36", "1.35", "1.34", "1.33"]
    assert [item["clusterVersion"] for item in versions if item["defaultVersion"]] == ["1.36"]
    assert all(
        item["releaseDate"] < item["endOfStandardSupportDate"] < item["endOfExtendedSupportDate"] for item in versions
    )


def test_secrets_are_encrypted_once_for_all_and_with_a_key_that_exists(world: World):
    world.cluster()
    lost = [{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:us-east-1:123456789012:key/lost"}}]
    with pytest.raises(ClientError, match="key/lost' does not exist"):
        world.eks.associate_encryption_config(clusterName="ml", encryptionConfig=lost)
    key = world.emulated.client("kms").create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match=r"encryptionConfig.resources must be \['secrets'\], not None"):
        world.eks.associate_encryption_config(clusterName="ml", encryptionConfig=[{"provider": {"keyArn": key}}])
    config = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    world.eks.associate_encryption_config(clusterName="ml", encryptionConfig=config)
    assert _describe(world)["encryptionConfig"] == config
    with pytest.raises(ClientError, match="already associated"):
        world.eks.associate_encryption_config(clusterName="ml", encryptionConfig=config)

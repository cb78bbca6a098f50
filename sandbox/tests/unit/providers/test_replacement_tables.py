"""The replacement rules of all handlers, compared with the official SDK's docstrings.

The SDK's docstrings rarely say that an input forces a replacement. Their statements are binding. Where they are silent,
the tables below name each such input with the official provider's reason, so that the tests catch forgotten and
invented replacements.
"""

from __future__ import annotations

import pytest

from mlp_sandbox.providers.aws.services import HANDLERS
from sandbox.tests.unit.providers.driver import sdk_properties
from sandbox.tests.unit.providers.sdk_docs import documented, said_to_replace

# Inputs that force a replacement wherever they are, although no docstring says so.
EVERYWHERE = {
    "region": "a resource lives in one region and AWS moves none",
    "name": "the API has no renaming",
    "namePrefix": "the name is made from it",
}

MADE_WITH = "is given to the call that creates the resource, and no call changes it"
IDENTITY = "is part of what identifies the resource"
OF_A_BUCKET = "the settings of another bucket are another resource"

# Type: what else forces a replacement there while the docstring is silent, and why upstream does it.
SILENT: dict[str, tuple[str, set[str]]] = {
    "aws:autoscaling/tag:Tag": (IDENTITY, {"autoscalingGroupName"}),
    "aws:budgets/budget:Budget": ("a budget belongs to an account", {"accountId"}),
    "aws:cloudwatch/logGroup:LogGroup": (MADE_WITH, {"logGroupClass"}),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ("each VPC has a default group of its own", {"vpcId"}),
    "aws:ec2/eip:Eip": (
        "decides which address AllocateAddress hands out",
        {"address", "customerOwnedIpv4Pool", "domain", "ipamPoolId", "networkBorderGroup", "publicIpv4Pool"},
    ),
    "aws:ec2/flowLog:FlowLog": (
        "EC2 creates and deletes flow logs and changes their tags only",
        {
            *("deliverCrossAccountRole", "destinationOptions", "eniId", "iamRoleArn", "logDestination", "subnetId"),
            *("logDestinationType", "logFormat", "maxAggregationInterval", "regionalNatGatewayId", "trafficType"),
            *("tagFieldSpecifications", "transitGatewayAttachmentId", "transitGatewayId", "vpcId"),
        },
    ),
    "aws:ec2/natGateway:NatGateway": (
        MADE_WITH,
        {
            *("allocationId", "availabilityMode", "connectivityType", "privateIp", "secondaryPrivateIpAddressCount"),
            *("subnetId", "vpcId"),
        },
    ),
    "aws:ec2/placementGroup:PlacementGroup": (
        "EC2 creates and deletes placement groups and changes none",
        {"partitionCount", "spreadLevel", "strategy"},
    ),
    "aws:ec2/route:Route": (
        IDENTITY,
        {"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "routeTableId"},
    ),
    "aws:ec2transitgateway/vpcAttachment:VpcAttachment": (IDENTITY, {"transitGatewayId", "vpcId"}),
    "aws:ec2/routeTable:RouteTable": (MADE_WITH, {"vpcId"}),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (IDENTITY, {"gatewayId", "subnetId"}),
    "aws:ec2/securityGroup:SecurityGroup": (
        "GroupDescription and VpcId are given to CreateSecurityGroup, and no call changes them",
        {"description", "vpcId"},
    ),
    "aws:ec2/subnet:Subnet": (
        MADE_WITH,
        {
            *("availabilityZone", "availabilityZoneId", "cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "vpcId"),
            *("ipv6IpamPoolId", "ipv6Native", "ipv6NetmaskLength", "outpostArn"),
        },
    ),
    # upstream goes from dedicated to default in place; every other change of the tenancy replaces
    "aws:ec2/vpc:Vpc": (MADE_WITH, {"cidrBlock", "instanceTenancy", "ipv4IpamPoolId", "ipv4NetmaskLength"}),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        MADE_WITH,
        {
            *("resourceConfigurationArn", "serviceName", "serviceNetworkArn", "serviceRegion", "vpcEndpointType"),
            "vpcId",
        },
    ),
    "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": (
        "EC2 associates and disassociates ranges and changes none",
        {"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "vpcId"},
    ),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": ("upstream has no update for it", {"policy", "repository"}),
    "aws:ecr/repository:Repository": (MADE_WITH, {"encryptionConfigurations"}),
    "aws:eks/accessEntry:AccessEntry": (IDENTITY, {"clusterName", "principalArn", "type"}),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": (
        "upstream has no update for it",
        {"accessScope", "clusterName", "policyArn", "principalArn"},
    ),
    "aws:eks/addon:Addon": (IDENTITY, {"addonName", "clusterName", "namespaceConfig"}),
    "aws:eks/cluster:Cluster": (
        "CreateCluster takes it, and UpdateClusterConfig does not",
        {"bootstrapSelfManagedAddons", "roleArn"},
    ),
    "aws:eks/nodeGroup:NodeGroup": (
        "CreateNodegroup takes it, and neither UpdateNodegroupConfig nor UpdateNodegroupVersion does",
        {
            *("amiType", "capacityType", "clusterName", "diskSize", "instanceTypes", "nodeGroupName"),
            *("nodeGroupNamePrefix", "nodeRoleArn", "remoteAccess", "subnetIds"),
        },
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        IDENTITY,
        {"clusterName", "namespace", "serviceAccount"},
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ("the ARN is made from it", {"url"}),
    "aws:iam/policy:Policy": (MADE_WITH, {"description", "path"}),
    "aws:iam/role:Role": ("the ARN is made from it", {"path"}),
    "aws:iam/rolePolicy:RolePolicy": (IDENTITY, {"role"}),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (IDENTITY, {"policyArn", "role"}),
    "aws:kms/key:Key": (
        MADE_WITH,
        {"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"},
    ),
    "aws:rds/instance:Instance": (
        "CreateDBInstance takes it and ModifyDBInstance does not",
        {
            *("availabilityZone", "backupTarget", "customIamInstanceProfile", "dbName", "engine", "kmsKeyId"),
            *("engineLifecycleSupport", "restoreToPointInTime", "snapshotIdentifier", "storageEncrypted"),
            *("timezone", "username"),
        },
    ),
    "aws:rds/parameterGroup:ParameterGroup": (MADE_WITH, {"description", "family"}),
    "aws:s3/bucket:Bucket": (
        "a bucket is never renamed, and object lock is switched on with CreateBucket",
        {"bucket", "bucketNamespace", "bucketPrefix", "objectLockEnabled"},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        OF_A_BUCKET,
        {"bucket", "expectedBucketOwner"},
    ),
    "aws:s3/bucketLogging:BucketLogging": (OF_A_BUCKET, {"bucket", "expectedBucketOwner"}),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (OF_A_BUCKET, {"bucket"}),
    "aws:s3/bucketPolicy:BucketPolicy": (OF_A_BUCKET, {"bucket"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (OF_A_BUCKET, {"bucket"}),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        OF_A_BUCKET,
        {"bucket", "expectedBucketOwner"},
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (OF_A_BUCKET, {"bucket", "expectedBucketOwner"}),
    "aws:secretsmanager/secretPolicy:SecretPolicy": (IDENTITY, {"secretArn"}),
    "aws:sns/topic:Topic": ("a FIFO topic is another kind of topic with another name", {"fifoTopic"}),
    "aws:sns/topicPolicy:TopicPolicy": (IDENTITY, {"arn"}),
    "aws:sns/topicSubscription:TopicSubscription": (IDENTITY, {"endpoint", "protocol", "topic"}),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ("a rule belongs to its group", {"securityGroupId"}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ("a rule belongs to its group", {"securityGroupId"}),
}

# (type, input): a replacement that the docstring makes depend on a condition which this program cannot meet, or a text
# that sounds like one.
IN_PLACE = {
    ("aws:ec2/subnet:Subnet", "ipv6CidrBlock"): "only with assignIpv6AddressOnCreation; EC2 itself swaps the range",
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "privateDnsEnabled"): "`check` refuses it for anything but Interface",
    ("aws:rds/instance:Instance", "performanceInsightsKmsKeyId"): "upstream leaves the refusal to RDS",
}
# (type, input): inputs that the SDK takes without a word.
UNDOCUMENTED = {
    ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "revokeRulesOnDelete"),
    ("aws:ec2/launchTemplate:LaunchTemplate", "networkPerformanceOptions"),
    ("aws:eks/cluster:Cluster", "defaultAddonsToRemoves"),
    ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "timeouts"),
}

all_types = pytest.mark.parametrize("token", sorted(HANDLERS))


@all_types
def test_every_field_is_an_input_of_the_sdk(token: str) -> None:
    inputs, _ = sdk_properties(token)
    assert set(HANDLERS[token].fields) <= inputs


@all_types
def test_what_the_docstring_says_to_replace_is_replaced(token: str) -> None:
    in_place = {name for type_, name in IN_PLACE if type_ == token}
    assert said_to_replace(token) - in_place <= _replaced(token)


@all_types
def test_what_is_replaced_is_documented_or_has_its_reason_here(token: str) -> None:
    common = {name for name in EVERYWHERE if name in HANDLERS[token].fields}
    _, silent = SILENT.get(token, ("", set[str]()))
    assert _replaced(token) - said_to_replace(token) == common | silent


@all_types
def test_the_docstring_of_every_input_is_read(token: str) -> None:
    inputs, _ = sdk_properties(token)
    silent = {name for type_, name in UNDOCUMENTED if type_ == token}
    assert set(documented(token)) == inputs - silent


def test_the_tables_name_only_what_exists_and_is_needed() -> None:
    assert set(SILENT) <= set(HANDLERS)
    for token, name in IN_PLACE:
        assert name in said_to_replace(token), f"{token} {name} is said to be replaced no more"
        assert name not in _replaced(token), f"{token} {name} is replaced after all"


def test_a_docstring_that_says_so_is_understood() -> None:
    assert "ncharCharacterSetName" in said_to_replace("aws:rds/instance:Instance")
    assert "type" in said_to_replace("aws:secretsmanager/secret:Secret")
    assert "imageTagMutability" not in said_to_replace("aws:ecr/repository:Repository")
    assert "forceDestroy" not in said_to_replace("aws:s3/bucket:Bucket")


def _replaced(token: str) -> set[str]:
    return {name for name, field in HANDLERS[token].fields.items() if field.replace}

"""A team changes one setting after another: each change is previewed, applied once, and then complete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.testing.box import MakeBox
from tests.environments.environment_copy import EnvironmentCopy, by_operation, deployed_copy

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]
WITHOUT_NAT = [
    *(
        "autoscaling",
        "ec2",
        "ecr.api",
        "ecr.dkr",
        "eks",
        "eks-auth",
        "elasticloadbalancing",
        "logs",
        "secretsmanager",
        "sts",
    )
]
ZONES = ["us-east-1a", "us-east-1b"]
KEY, BUCKET = "aws:kms/key:Key", "aws:s3/bucket:Bucket"


@pytest.fixture(scope="module")
def environment(make_box: MakeBox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnvironmentCopy]:
    """Yield an environment that the tests change in turn; each starts from the state that the previous one left."""
    box = make_box("changes")
    yield deployed_copy(box, tmp_path_factory.mktemp("changes") / "project")
    lifecycle.down(box.instance)


def test_a_zone_and_a_gateway_per_zone_are_added_without_moving_what_is_there(environment: EnvironmentCopy) -> None:
    gateway = environment.id("aws:ec2/natGateway:NatGateway", "network-nat-a")
    environment.change(network__nat="per_zone", network__zones=[*ZONES, "us-east-1c"])
    plan = by_operation(environment.planned())
    assert plan.keys() == {"create", "update", "replace"}
    # A node group keeps its subnets for life: new ones take over, with the tags of their Auto Scaling groups.
    assert {name for name in plan["replace"] if "-tag-" not in name} == {"nodes-general-group", "nodes-l4-group"}
    assert {"network-nat-b", "network-nat-c", "network-pods-c", "network-private-c-routes"} <= plan["create"]
    assert plan["update"] == {
        *("network-private-b-nat", "network-endpoints-s3", "network-endpoints-ecr-api", "network-endpoints-ecr-dkr"),
        *("database-subnets", "node-addons-vpc-cni-addon"),
    }
    environment.up()
    environment.is_settled()
    gateways = environment.resources("aws:ec2/natGateway:NatGateway")
    assert gateways["network-nat-a"]["id"] == gateway
    for zone in "abc":
        table = environment.id("aws:ec2/routeTable:RouteTable", f"network-private-{zone}-routes")
        assert _default_route(environment, table)["NatGatewayId"] == gateways[f"network-nat-{zone}"]["id"]
    groups = environment.box.client("rds").describe_db_subnet_groups()["DBSubnetGroups"]
    assert [len(group["Subnets"]) for group in groups] == [3]


def test_leaving_nat_needs_the_endpoints_that_nodes_call(environment: EnvironmentCopy) -> None:
    environment.change(network__nat="none")
    said = environment.up(ok=False)
    assert "network.interface_endpoints" in said
    assert "elasticloadbalancing" in said


def test_a_zone_and_all_gateways_are_taken_away_and_endpoints_added(environment: EnvironmentCopy) -> None:
    environment.change(network__nat="none", network__zones=ZONES, network__interface_endpoints=WITHOUT_NAT)
    plan = by_operation(environment.planned())
    assert plan.keys() == {"create", "update", "delete", "replace"}
    assert {name for name in plan["replace"] if "-tag-" not in name} == {"nodes-general-group", "nodes-l4-group"}
    assert {"network-endpoints-eks", "network-endpoints-sts"} <= plan["create"]
    assert {"network-nat-a", "network-nat-a-address", "network-private-a-nat", "network-pods-c"} <= plan["delete"]
    environment.up()
    environment.is_settled()
    ec2 = environment.box.client("ec2")
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert {item["ServiceName"].removeprefix("com.amazonaws.us-east-1.") for item in endpoints} == {*WITHOUT_NAT, "s3"}
    assert ec2.describe_addresses()["Addresses"] == []


def test_data_services_change_in_place_and_show_the_new_values(environment: EnvironmentCopy) -> None:
    environment.change(
        network__flow_log_retention_days=30,
        keys={"rotation_days": 180, "deletion_window_days": 9},
        buckets__noncurrent_days=8,
        buckets__force_destroy=False,
        registry__repositories=["mlflow", "training/base", "extra"],
        registry__keep_images=33,
        database__instance_class="db.t4g.large",
        database__allocated_storage_gb=25,
        database__multi_az=True,
        database__max_storage_gb=60,
        database__backup_days=3,
        database__log_retention_days=14,
        notifications__emails=["a@example.com", "b@example.com"],
        budget__monthly_limit_usd=900,
        budget__thresholds_percent=[50],
        identities__protected_branches=["main", "release"],
    )
    plan = by_operation(environment.planned())
    # ECR's rules cannot be changed, only put anew.
    kept = ("mlflow", "training-base", "projects-tumour-diagnosis")
    assert plan["replace"] == {f"registry-{name}-cleanup" for name in kept}
    assert plan["delete"] == {"registry-serving-base", "registry-serving-base-cleanup"}
    assert {"keys-data", "database-instance", "budget-monthly-cost", "identities-deploy"} <= plan["update"]
    environment.up()
    environment.is_settled()
    box = environment.box
    rotation = box.client("kms").get_key_rotation_status(KeyId=environment.id(KEY, "keys-data"))
    assert rotation["RotationPeriodInDays"] == 180
    bucket = environment.id(BUCKET, "buckets-data-lake")
    (rule,) = box.client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 8
    rules = box.client("ecr").get_lifecycle_policy(repositoryName="ml-platform-dev/mlflow")["lifecyclePolicyText"]
    assert [rule["selection"]["countNumber"] for rule in json.loads(rules)["rules"]] == [7, 33]
    (instance,) = box.client("rds").describe_db_instances()["DBInstances"]
    expected = {
        "DBInstanceClass": "db.t4g.large",
        "AllocatedStorage": 25,
        "MultiAZ": True,
        "MaxAllocatedStorage": 60,
        "BackupRetentionPeriod": 3,
    }
    assert {key: instance[key] for key in expected} == expected
    topics = box.client("sns").list_subscriptions()["Subscriptions"]
    assert {item["Endpoint"] for item in topics} == {"a@example.com", "b@example.com"}


def test_another_pod_range_and_one_address_less_touch_nothing_else(environment: EnvironmentCopy) -> None:
    environment.change(network__pod_cidr="100.72.0.0/16", notifications__emails=["b@example.com"])
    pods = {f"network-pods-{zone}{suffix}" for zone in "ab" for suffix in ("", "-association")}
    assert by_operation(environment.planned()) == {
        "replace": {"network-pod-range", *pods},
        "update": {"network-endpoints-from-pods", "node-addons-vpc-cni-addon"},
        "delete": {"notifications-email-a-example-com"},
    }
    environment.up()
    environment.is_settled()


def test_another_cost_centre_reaches_everything_in_place(environment: EnvironmentCopy) -> None:
    environment.change(tags__cost_center="cc-9999")
    assert set(environment.planned().values()) == {"update"}
    environment.up()
    environment.is_settled()
    tag = {"Key": "cost-center", "Values": ["cc-4100"]}
    left = environment.box.client("resourcegroupstaggingapi").get_resources(TagFilters=[tag])["ResourceTagMappingList"]
    ended = [{"Name": "instance-state-name", "Values": ["terminated"]}]
    reservations = environment.box.client("ec2").describe_instances(Filters=ended)["Reservations"]
    gone = {instance["InstanceId"] for each in reservations for instance in each["Instances"]}
    # Snapshots keep the tags that the database had when they were taken, nodes those that they ended with.
    kept = [item["ResourceARN"] for item in left if ":snapshot:" not in item["ResourceARN"]]
    assert [arn for arn in kept if arn.rpartition("/")[2] not in gone] == []


def test_protection_stops_a_deletion_but_not_a_change_of_rules(environment: EnvironmentCopy) -> None:
    environment.change(
        protect=True,
        registry__force_delete=False,
        registry__keep_images=44,
        database__skip_final_snapshot=False,
        database__deletion_protection=True,
    )
    environment.up()
    environment.is_settled()
    environment.change(registry__repositories=["mlflow", "training/base"])
    said = environment.pulumi("preview", ok=False)
    assert "registry-extra" in said
    assert "protected" in said


def test_destroy_deletes_objects_too_once_the_settings_allow_it(environment: EnvironmentCopy) -> None:
    environment.change(
        protect=False,
        registry__repositories=["mlflow", "training/base", "extra"],
        buckets__force_destroy=True,
        registry__force_delete=True,
        database__skip_final_snapshot=True,
        database__deletion_protection=False,
    )
    environment.up()
    bucket = environment.id(BUCKET, "buckets-data-lake")
    key = environment.id(KEY, "keys-data")
    s3 = environment.box.client("s3")
    s3.put_object(Bucket=bucket, Key="data", Body=b"1")
    s3.put_object(Bucket=bucket, Key="data", Body=b"2")
    s3.delete_object(Bucket=bucket, Key="data")
    environment.pulumi("destroy", "--yes", "--skip-preview")
    assert environment.resources(BUCKET) == {}
    assert s3.list_buckets()["Buckets"] == []
    assert environment.box.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def _default_route(environment: EnvironmentCopy, table: str) -> dict[str, Any]:
    (found,) = environment.box.client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return next(route for route in found["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0")

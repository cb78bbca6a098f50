"""Environments differ only where they need to, and the schema alone defines the allowed settings of their files."""

import copy
from typing import Any

import pulumi
import pytest

from mlp.recording import Recorded
from stacks.settings import PlatformSettings
from tests.contract.programs import PLATFORM, Program, configuration, program, run_main

Three = tuple[Program, Program, Program]
PROJECTS = ("mlops:index:ProjectWorkload", "mlops:index:ProjectTeamAccess")
GATEWAY = "aws:ec2/natGateway:NatGateway"
DATABASE = "aws:rds/instance:Instance"


@pytest.fixture
def three() -> Three:
    return program("dev"), program("staging"), program("prod")


def database(environment: Program, field: str) -> Any:
    [instance] = environment.of_type(DATABASE)
    return instance.inputs.get(field)


def test_dev_saves_on_zones_and_gateways_and_prod_does_not(three: Three):
    assert [len(each.settings.network.zones) for each in three] == [2, 3, 3]
    assert [len(each.of_type(GATEWAY)) for each in three] == [1, 1, 3]


def test_prod_survives_the_loss_of_a_zone_and_of_a_careless_moment(three: Three):
    assert [database(each, "multiAz") for each in three] == [False, False, True]
    assert [database(each, "deletionProtection") for each in three] == [False, True, True]
    assert [database(each, "skipFinalSnapshot") for each in three] == [True, False, False]


def test_only_dev_throws_data_away(three: Three):
    dev, *kept = three
    for token in ("aws:s3/bucket:Bucket", "aws:ecr/repository:Repository"):
        switch = "forceDestroy" if token.startswith("aws:s3") else "forceDelete"
        assert {each.inputs[switch] for each in dev.of_type(token)} == {True}
        assert {each.inputs[switch] for env in kept for each in env.of_type(token)} == {False}


def test_records_and_backups_are_kept_longer_the_more_they_matter(three: Three):
    kept = [database(each, "backupRetentionPeriod") for each in three]
    assert kept == sorted(set(kept))
    for token, field in (("aws:cloudwatch/logGroup:LogGroup", "retentionInDays"),):
        longest = [max(each.inputs[field] for each in env.of_type(token)) for env in three]
        assert longest == sorted(set(longest))


def test_one_account_has_one_github_provider_so_only_dev_creates_it(three: Three):
    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    created = [[each for each in env.of_type(token) if "github" in each.inputs["url"]] for env in three]
    assert [len(each) for each in created] == [1, 0, 0]


def test_budgets_grow_with_the_environments(three: Three):
    limits = [float(each.of_type("aws:budgets/budget:Budget")[0].inputs["limitAmount"]) for each in three]
    assert limits == sorted(set(limits))


def test_networks_of_the_environments_can_be_connected_one_day(three: Three):
    assert len({each.settings.network.cidr for each in three}) == 3


def of_a_project(environment: Program, resource: Recorded) -> bool:
    by_urn = {each.urn: each for each in environment.resources}
    while resource.typ not in PROJECTS and resource.parent in by_urn:
        resource = by_urn[resource.parent]
    return resource.typ in PROJECTS


def test_the_same_things_are_deployed_everywhere(three: Three):
    """Environments differ in number and size of resources, and in their projects.

    A resource type of the platform that only one environment has would never be tested before it. dev is open to listed
    ranges, and saves the route through a gateway.
    """
    kinds = [{resource.typ for resource in each.resources if not of_a_project(each, resource)} for each in three]
    assert kinds[1] == kinds[2]
    assert kinds[1] - kinds[0] == {"mlops:index:Connection", "aws:ec2transitgateway/vpcAttachment:VpcAttachment"}
    assert kinds[0] <= kinds[1]


@pytest.mark.parametrize(
    ("section", "misspelt", "near"),
    [("network", "flow_log_retention", "flow_log_retention_days"), ("keys", "rotation", "rotation_days")],
)
def test_a_misspelt_setting_ends_the_program_before_anything_is_registered(section: str, misspelt: str, near: str):
    config = copy.deepcopy(configuration("dev"))
    config[PLATFORM][section][misspelt] = 30
    with pytest.raises(pulumi.RunError, match=rf"{section}\.{misspelt}: got 30; unknown key, did you mean '{near}'\?"):
        run_main("dev", config)


def test_a_stack_file_under_a_wrong_name_ends_the_program():
    with pytest.raises(pulumi.RunError, match="environment: got 'prod'; write 'dev', the name of the stack"):
        run_main("dev", configuration("prod"))


def test_every_section_of_the_schema_is_used_by_some_environment(three: Three):
    used = {section for each in three for section in configuration(each.stack)[PLATFORM]}
    assert used == set(PlatformSettings.model_fields)

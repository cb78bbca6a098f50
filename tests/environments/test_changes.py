"""Changes with the real engine and the provider plugin: in the program, and outside of Pulumi."""

from __future__ import annotations

from mlp_sandbox.testing.box import Program

GROUP = 'group = aws.cloudwatch.LogGroup("flow", retention_in_days={days}, tags={{"Name": "flow"}}, opts=options)'
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


def test_a_second_preview_says_no_change(program: Program) -> None:
    program.write(GROUP.format(days=14))
    program.up()
    assert "3 unchanged" in program.preview("--expect-no-changes")


def test_an_unknown_value_reaches_the_preview_of_a_dependent_resource(program: Program) -> None:
    program.write(
        """
        key = aws.kms.Key("data", opts=options)
        aws.kms.Alias("data", target_key_id=key.id, opts=options)
        """
    )
    assert "4 to create" in program.preview()


def test_a_mutable_input_is_updated_in_place_and_only_once(program: Program) -> None:
    program.write(GROUP.format(days=14))
    program.up()
    before = program.only(LOG_GROUP)["id"]
    program.write(GROUP.format(days=30))
    assert "1 to update" in program.preview("--diff")
    program.up()
    found = program.box.client("logs").describe_log_groups(logGroupNamePrefix=before)["logGroups"]
    assert [group["retentionInDays"] for group in found] == [30]
    assert program.only(LOG_GROUP)["id"] == before
    program.preview("--expect-no-changes")


def test_an_immutable_input_replaces_the_resource(program: Program) -> None:
    vpc = 'vpc = aws.ec2.Vpc("main", cidr_block="{cidr}", opts=options)'
    program.write(vpc.format(cidr="10.1.0.0/16"))
    program.up()
    before = program.only("aws:ec2/vpc:Vpc")["id"]
    program.write(vpc.format(cidr="10.2.0.0/16"))
    assert "1 to replace" in program.preview()
    program.up()
    after = program.only("aws:ec2/vpc:Vpc")["id"]
    listed = {item["VpcId"] for item in program.box.client("ec2").describe_vpcs()["Vpcs"]}
    assert after in listed
    assert before not in listed


def test_refresh_sees_what_was_changed_behind_pulumis_back_and_up_mends_it(program: Program) -> None:
    program.write(GROUP.format(days=14))
    program.up()
    name = program.only(LOG_GROUP)["id"]
    logs = program.box.client("logs")
    logs.put_retention_policy(logGroupName=name, retentionInDays=90)
    assert "1 to update" in program.preview("--refresh")
    assert "1 updated" in program.pulumi("refresh", "--yes", "--skip-preview")
    assert program.only(LOG_GROUP)["inputs"]["retentionInDays"] == 90
    program.up()
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["retentionInDays"] == 14


def test_a_tag_added_behind_pulumis_back_is_drift_where_the_program_gives_tags(program: Program) -> None:
    program.write('aws.ec2.Vpc("main", cidr_block="10.9.0.0/16", opts=options)')
    program.up()
    id = program.only("aws:ec2/vpc:Vpc")["id"]
    program.box.client("ec2").create_tags(Resources=[id], Tags=[{"Key": "stray", "Value": "1"}])
    program.pulumi("refresh", "--yes", "--skip-preview")
    assert "stray" in program.preview("--diff")


def test_refresh_sees_what_was_deleted_and_up_makes_it_again(program: Program) -> None:
    program.write(GROUP.format(days=14))
    program.up()
    name = program.only(LOG_GROUP)["id"]
    logs = program.box.client("logs")
    logs.delete_log_group(logGroupName=name)
    assert "1 deleted" in program.pulumi("refresh", "--yes", "--skip-preview")
    assert "1 created" in program.up()
    assert len(logs.describe_log_groups(logGroupNamePrefix="flow-")["logGroups"]) >= 1


def test_an_existing_resource_is_imported_and_then_shows_no_change(program: Program) -> None:
    logs = program.box.client("logs")
    logs.create_log_group(logGroupName="by-hand", tags={"Name": "flow", "environment": "test"})
    logs.put_retention_policy(logGroupName="by-hand", retentionInDays=14)
    with_import = 'pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(import_="by-hand"))'
    declared = 'aws.cloudwatch.LogGroup("flow", name="by-hand", retention_in_days=14, tags={{"Name": "flow"}}, opts={})'
    program.write(declared.format(with_import))
    assert "1 imported" in program.up()
    program.write(declared.format("options"))
    program.preview("--expect-no-changes")


def test_importing_what_does_not_exist_is_an_error(program: Program) -> None:
    options = 'pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(import_="vpc-00000000"))'
    program.write(f'aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", opts={options})')
    said = program.up(ok=False)
    assert "vpc-00000000" in said
    assert "does not exist" in said


def test_a_failed_create_leaves_the_rest_in_the_state_and_the_next_up_finishes(program: Program) -> None:
    both = """
        vpc = aws.ec2.Vpc("main", cidr_block="10.3.0.0/16", opts=options)
        aws.ec2.Subnet("a", vpc_id=vpc.id, cidr_block="{cidr}", opts=options)
        """
    program.write(both.format(cidr="192.168.0.0/24"))
    said = program.up(ok=False)
    assert "InvalidSubnet.Range" in said
    assert len(program.resources("aws:ec2/vpc:Vpc")) == 1
    assert program.resources("aws:ec2/subnet:Subnet") == []
    program.write(both.format(cidr="10.3.1.0/24"))
    assert "1 created" in program.up()
    program.preview("--expect-no-changes")


def test_an_unknown_input_is_an_error_that_names_the_type_and_the_input(program: Program) -> None:
    program.write(
        """
        aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions.merge(
            options, pulumi.ResourceOptions(transforms=[
                lambda args: pulumi.ResourceTransformResult({**args.props, "cidrBlok": "x"}, args.opts)])))
        """
    )
    said = program.preview(ok=False)
    assert "aws:ec2/vpc:Vpc: unknown input 'cidrBlok'" in said


def test_an_unknown_type_is_an_error_that_names_it(program: Program) -> None:
    program.write('aws.chime.VoiceConnector("voice", require_encryption=True, opts=options)')
    said = program.preview(ok=False)
    assert "aws:chime/voiceConnector:VoiceConnector" in said
    assert "not supported here" in said


def test_destroy_leaves_nothing(program: Program) -> None:
    program.write(
        """
        vpc = aws.ec2.Vpc("main", cidr_block="10.4.0.0/16", opts=options)
        aws.ec2.Subnet("a", vpc_id=vpc.id, cidr_block="10.4.1.0/24", opts=options)
        """
    )
    program.up()
    id = program.only("aws:ec2/vpc:Vpc")["id"]
    program.pulumi("destroy", "--yes", "--skip-preview")
    listed = [vpc["VpcId"] for vpc in program.box.client("ec2").describe_vpcs()["Vpcs"]]
    assert id not in listed

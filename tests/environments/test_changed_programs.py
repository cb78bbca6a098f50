"""Changes with constraints on AWS: replaced rules, secrets under deletion, rejected inputs."""

from __future__ import annotations

from mlp_sandbox.testing.box import Program

RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
SECRET = "aws:secretsmanager/secret:Secret"


def test_a_rule_is_replaced_when_it_admits_a_group_instead_of_a_range(program: Program) -> None:
    source = """
        vpc = aws.ec2.Vpc("main", cidr_block="10.5.0.0/16", opts=options)
        own = aws.ec2.SecurityGroup("own", vpc_id=vpc.id, opts=options)
        peer = aws.ec2.SecurityGroup("peer", vpc_id=vpc.id, opts=options)
        aws.vpc.SecurityGroupIngressRule(
            "in", security_group_id=own.id, ip_protocol="tcp", from_port=443, to_port={port}, {peer}, opts=options)
        """
    program.write(source.format(port=443, peer='cidr_ipv4="10.0.0.0/8"'))
    program.up()
    before = program.only(RULE)["id"]
    program.write(source.format(port=444, peer='cidr_ipv4="10.0.0.0/16"'))
    assert "1 updated" in program.up()
    assert program.only(RULE)["id"] == before
    program.write(source.format(port=444, peer="referenced_security_group_id=peer.id"))
    assert "1 to replace" in program.preview()
    program.up()
    after = program.only(RULE)
    filters = [{"Name": "group-id", "Values": [after["inputs"]["securityGroupId"]]}]
    live = program.box.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert [rule["SecurityGroupRuleId"] for rule in live] == [after["id"]]
    program.preview("--refresh", "--expect-no-changes")


def test_a_secret_wanted_again_while_its_deletion_is_pending_is_refused_until_it_is_restored(program: Program) -> None:
    declared = 'aws.secretsmanager.Secret("token", name="team/token-of-ours", recovery_window_in_days=7, opts={})'
    program.write(declared.format("options"))
    program.up()
    arn = program.only(SECRET)["id"]
    program.write("")
    program.up()
    program.write(declared.format("options"))
    said = program.up(ok=False)
    assert "create aws:secretsmanager/secret:Secret token" in said
    assert "scheduled for deletion" in said
    program.box.client("secretsmanager").restore_secret(SecretId=arn)
    taken = f'pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(import_="{arn}"))'
    program.write(declared.format(taken))
    assert "1 imported" in program.up()
    program.write(declared.format("options"))
    program.preview("--refresh", "--expect-no-changes")


def test_a_refused_input_is_an_error_that_names_type_resource_and_input(program: Program) -> None:
    program.write('aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", ipv4_ipam_pool_id="pool", opts=options)')
    said = program.preview(ok=False)
    for part in ("aws:ec2/vpc:Vpc", "'main'", "ipv4IpamPoolId", "not supported here", "give the range itself"):
        assert part in said, said


def test_a_bucket_with_objects_goes_only_when_force_destroy_says_so(program: Program) -> None:
    declared = 'aws.s3.Bucket("lake", force_destroy={}, opts=options)'
    program.write(declared.format(False))
    program.up()
    bucket = program.only("aws:s3/bucket:Bucket")["id"]
    s3 = program.box.client("s3")
    s3.put_object(Bucket=bucket, Key="data", Body=b"1")
    said = program.pulumi("destroy", "--yes", "--skip-preview", ok=False)
    assert "BucketNotEmpty" in said
    assert "lake" in said
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    program.write(declared.format(True))
    assert "1 updated" in program.up()
    program.pulumi("destroy", "--yes", "--skip-preview")
    assert bucket not in [item["Name"] for item in s3.list_buckets()["Buckets"]]

"""Acknowledged writes survive a kill -9 with the same identifiers, times, keys and passwords."""

import json
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.tests.live.emulator.running import ACCOUNT, Running, plain

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
BIG = bytes(range(256)) * 20_000


def _fill(running: Running) -> dict[str, Any]:
    """Create one resource of each kind that the platform uses; returns the values that only the caller can know."""
    ec2, kms, s3 = running.client("ec2"), running.client("kms"), running.client("s3")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    signing = [
        kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec=spec)["KeyMetadata"]["KeyId"]
        for spec in ("RSA_2048", "ECC_NIST_P256")
    ]
    role = running.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    session = running.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    running.client("secretsmanager").create_secret(Name="app/password", SecretString="hunter2")
    s3.create_bucket(Bucket="kept-data")
    s3.put_bucket_versioning(Bucket="kept-data", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"old", b"new"):
        s3.put_object(Bucket="kept-data", Key="small ü/%2F", Body=body, Metadata={"with_underscore": "1"})
    s3.put_object(Bucket="kept-data", Key="big", Body=BIG)
    running.client("rds").create_db_instance(
        DBInstanceIdentifier="mlflow",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        EngineVersion="16.11",
        MasterUsername="mlflow",
        ManageMasterUserPassword=True,
        AllocatedStorage=20,
    )
    running.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": "monthly",
            "BudgetLimit": {"Amount": "100", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        ResourceTags=[{"Key": "team", "Value": "ml"}],
    )
    sealed = kms.encrypt(KeyId=key, Plaintext=b"sealed before the kill")["CiphertextBlob"]
    signature = kms.sign(KeyId=signing[0], Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]
    return {"key": key, "signing": signing, "sealed": sealed, "signature": signature, "session": session}


def _describe(running: Running, made: dict[str, Any]) -> dict[str, Any]:
    ec2, kms, s3 = running.client("ec2"), running.client("kms"), running.client("s3")
    secrets, session = running.client("secretsmanager"), made["session"]
    databases = plain(running.client("rds").describe_db_instances())
    for database in databases["DBInstances"]:
        del database["LatestRestorableTime"]  # the present time, by definition
    as_role = running.client(
        "sts", aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"]
    )
    return {
        "vpcs": plain(ec2.describe_vpcs()),
        "subnets": plain(ec2.describe_subnets()),
        "groups": plain(ec2.describe_security_groups()),
        "rules": plain(ec2.describe_security_group_rules()),
        "endpoints": plain(ec2.describe_vpc_endpoints()),
        "prefixes": plain(ec2.describe_managed_prefix_lists()),
        "key": plain(kms.describe_key(KeyId=made["key"])),
        "rotation": plain(kms.get_key_rotation_status(KeyId=made["key"])),
        "public keys": [kms.get_public_key(KeyId=key)["PublicKey"] for key in made["signing"]],
        "roles": plain(running.client("iam").list_roles()),
        "caller": plain(as_role.get_caller_identity()),
        "secrets": plain(secrets.list_secrets()),
        "passwords": [
            plain(secrets.get_secret_value(SecretId=secret["ARN"])) for secret in secrets.list_secrets()["SecretList"]
        ],
        "versions": plain(s3.list_object_versions(Bucket="kept-data")),
        "databases": databases,
        "budgets": plain(running.client("budgets").describe_budgets(AccountId=ACCOUNT)),
        "budget tags": plain(
            running.client("budgets").list_tags_for_resource(ResourceARN=f"arn:aws:budgets::{ACCOUNT}:budget/monthly")
        ),
    }


def test_a_killed_account_comes_back_the_same(fresh: Running):
    made = _fill(fresh.start())
    before = _describe(fresh, made)
    fresh.kill()
    fresh.start()
    after = _describe(fresh, made)
    for what, value in before.items():
        assert after[what] == value, what


def test_what_was_encrypted_signed_and_stored_before_a_kill_can_be_read_after_it(fresh: Running):
    made = _fill(fresh.start())
    fresh.kill()
    fresh.start()
    kms, s3 = fresh.client("kms"), fresh.client("s3")
    assert kms.decrypt(CiphertextBlob=made["sealed"])["Plaintext"] == b"sealed before the kill"
    assert kms.verify(
        KeyId=made["signing"][0],
        Message=b"m",
        Signature=made["signature"],
        SigningAlgorithm="RSASSA_PSS_SHA_256",
    )["SignatureValid"]
    small = s3.get_object(Bucket="kept-data", Key="small ü/%2F")
    assert (small["Body"].read(), small["Metadata"]) == (b"new", {"with_underscore": "1"})
    assert s3.get_object(Bucket="kept-data", Key="big")["Body"].read() == BIG


def test_reads_before_the_first_write_do_not_change_later_identifiers(fresh: Running):
    fresh.start().client("ec2").describe_vpcs()
    before = plain(fresh.client("ec2").describe_security_groups())
    vpc = fresh.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    fresh.kill()
    fresh.start()
    ids = {item["VpcId"] for item in fresh.client("ec2").describe_vpcs()["Vpcs"]}
    assert vpc in ids
    kept = {group["GroupId"] for group in fresh.client("ec2").describe_security_groups()["SecurityGroups"]}
    assert {group["GroupId"] for group in before["SecurityGroups"]} <= kept


def test_every_acknowledged_write_of_several_threads_survives_a_kill_in_the_middle(fresh: Running):
    fresh.start()
    acknowledged: dict[str, str] = {}

    def write(number: int) -> None:
        iam = fresh.client("iam")
        for count in range(1000):
            name = f"role-{number}-{count}"
            try:
                acknowledged[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]
            except (ClientError, BotoCoreError):
                return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 60:
        time.sleep(0.01)
    fresh.kill()
    for thread in threads:
        thread.join()
    fresh.start()
    pages = fresh.client("iam").get_paginator("list_roles").paginate()
    found = {role["RoleName"]: role["RoleId"] for page in pages for role in page["Roles"]}
    assert acknowledged.items() <= found.items()
    assert len(found) <= len(acknowledged) + len(threads)


def test_a_torn_last_line_is_cut_off_and_said(fresh: Running):
    fresh.start().client("s3").create_bucket(Bucket="first-one")
    fresh.client("s3").create_bucket(Bucket="second-one")
    fresh.kill()
    journal = fresh.home / "journal" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    fresh.start()
    assert [bucket["Name"] for bucket in fresh.client("s3").list_buckets()["Buckets"]] == ["first-one"]
    assert "cut off the last line" in fresh.log.read_text()


def test_a_damaged_line_in_the_middle_is_an_error_that_names_file_and_line(fresh: Running):
    for name in ("first-one", "second-one"):
        fresh.start().client("s3").create_bucket(Bucket=name)
        fresh.stop()
    journal = fresh.home / "journal" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"first-one", b"fir5t-one"))
    assert fresh.launch().wait(timeout=60) == 1
    last = fresh.log.read_text().splitlines()[-1]
    assert last.startswith("emulator: ")
    assert f"{journal}, line 1: damaged" in last


def test_a_missing_body_file_is_an_error_that_names_it(fresh: Running):
    s3 = fresh.start().client("s3")
    s3.create_bucket(Bucket="first-one")
    s3.put_object(Bucket="first-one", Key="big", Body=BIG)
    fresh.kill()
    [body] = (fresh.home / "journal" / "bodies").iterdir()
    body.unlink()
    assert fresh.launch().wait(timeout=60) == 1
    assert f"its body {body} cannot be read" in fresh.log.read_text().splitlines()[-1]


def test_reading_requests_are_not_recorded(fresh: Running):
    s3 = fresh.start().client("s3")
    s3.create_bucket(Bucket="first-one")
    with pytest.raises(ClientError, match="Not Found"):
        s3.head_bucket(Bucket="not-there")
    s3.list_buckets()
    assert len((fresh.home / "journal" / "journal.jsonl").read_bytes().splitlines()) == 1


def test_a_write_that_was_refused_half_way_is_after_a_restart_what_it_was_before(fresh: Running):
    sns = fresh.start().client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    with pytest.raises(ClientError, match="Invalid parameter"):  # which moto reads only after it has subscribed
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue",
            Attributes={"FilterPolicy": '{"kind": "text"}'},
        )
    before = sns.list_subscriptions()["Subscriptions"]
    assert len(before) == 1, "moto has learned to refuse it whole: find another request that it half does"
    fresh.kill()
    assert fresh.start().client("sns").list_subscriptions()["Subscriptions"] == before


def test_a_refused_write_that_a_replay_would_carry_out_is_an_error_that_names_its_line(fresh: Running):
    s3 = fresh.start().client("s3")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket="not-there", Key="a", Body=b"")
    fresh.stop()
    journal = fresh.home / "journal" / "journal.jsonl"
    payload = journal.read_bytes().partition(b" ")[2].rstrip(b"\n").replace(b"/not-there/a", b"/not-there")
    journal.write_bytes(b"%08x %s\n" % (zlib.crc32(payload), payload))
    assert fresh.launch().wait(timeout=60) == 1
    assert (
        f"{journal}, line 1: s3:PutObject answered 404 when it was recorded and now answers 200"
        in (fresh.log.read_text().splitlines()[-1])
    )


def test_the_journal_is_readable_by_its_owner_only(fresh: Running):
    fresh.start().client("s3").create_bucket(Bucket="first-one")
    journal: Path = fresh.home / "journal"
    assert journal.stat().st_mode & 0o077 == 0
    assert (journal / "journal.jsonl").stat().st_mode & 0o077 == 0

"""Sessions: web identities by the claims of their tokens, expiry, and sessions after a restart."""

import os
import subprocess
import sys
import time
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from mlp_sandbox.emulator.__main__ import MOTO_SETTINGS
from mlp_sandbox.testing.github import ISSUER, token
from sandbox.tests.live.emulator.principals import Principals, allow, document, refused
from sandbox.tests.live.emulator.running import ACCOUNT, ROOT, Running

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
# The same process, with a clock that is three hours ahead.
LATER = (
    "import datetime, sys, time_machine; from mlp_sandbox.emulator.__main__ import main; "
    "time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=3), tick=True).start(); "
    "sys.exit(main(sys.argv[1:]))"
)


@pytest.fixture(scope="module")
def principals(emulator: Running) -> Principals:
    principals = Principals(emulator)
    principals.iam.create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    return principals


def _token(**claims: Any) -> str:
    return token(**{"sub": "repo:ml/platform:environment:prod", **claims})


def _web_role(principals: Principals) -> str:
    condition = {
        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": "repo:ml/platform:environment:prod"}
    }
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
    )
    return principals.role(allow("s3:ListAllMyBuckets"), trust=trust)


def _assume(emulator: Running, role: str, token: str) -> Any:
    sts = emulator.client("sts", config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}))
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=token)


def test_a_web_identity_gets_the_role_that_trusts_its_subject(emulator: Running, principals: Principals):
    answer = _assume(emulator, _web_role(principals), _token())
    assert answer["SubjectFromWebIdentityToken"] == "repo:ml/platform:environment:prod"
    assert (answer["Provider"], answer["Audience"]) == (PROVIDER, "sts.amazonaws.com")
    keys = answer["Credentials"]
    s3 = emulator.client("s3", aws_access_key_id=keys["AccessKeyId"], aws_session_token=keys["SessionToken"])
    s3.list_buckets()
    refused(s3.create_bucket, Bucket="not-by-ci")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "repo:ml/platform:ref:refs/heads/mine"}, "AccessDenied"),
        ({"sub": "repo:other/platform:environment:prod"}, "AccessDenied"),
        ({"aud": "somebody-else"}, "InvalidIdentityToken"),
        ({"iss": "https://issuer.example"}, "InvalidIdentityToken"),
        ({"exp": 1}, "ExpiredTokenException"),
    ],
)
def test_another_web_identity_does_not(emulator: Running, principals: Principals, claims: dict[str, Any], code: str):
    role = _web_role(principals)
    assert code in refused(lambda: _assume(emulator, role, _token(**claims)))


@pytest.mark.parametrize("token", ["abcd", "a.b.c", "e30.e30.e30"])
def test_what_is_no_token_is_refused(emulator: Running, principals: Principals, token: str):
    role = _web_role(principals)
    assert "InvalidIdentityToken" in refused(lambda: _assume(emulator, role, token))


def test_a_role_that_trusts_users_takes_no_web_identity(emulator: Running, principals: Principals):
    role = principals.role()
    assert "AccessDenied" in refused(lambda: _assume(emulator, role, _token()))


def test_a_session_lasts_no_longer_than_its_role_lets_it(principals: Principals):
    role = principals.role(allow("sts:AssumeRole"))
    assert "MaxSessionDuration" in refused(lambda: principals.session(role, DurationSeconds=7200))
    long = principals.role(MaxSessionDuration=7200)
    principals.session(long, DurationSeconds=7200)
    chained = principals.emulator.client("sts", **principals.session(role))
    assert "1 hour" in refused(chained.assume_role, RoleArn=long, RoleSessionName="next", DurationSeconds=7200)


def test_a_restart_keeps_sessions_with_their_tags_and_does_not_ask_again(fresh: Running):
    principals = Principals(fresh.start())
    role = principals.role(allow("s3:*", "arn:aws:s3:::${aws:PrincipalTag/team}-data*"))
    session = principals.session(role, Tags=[{"Key": "team", "Value": "ml"}])
    s3 = fresh.client("s3", **session)
    s3.create_bucket(Bucket="ml-data")
    s3.put_object(Bucket="ml-data", Key="a", Body=b"x")
    lines = len((fresh.home / "journal" / "journal.jsonl").read_bytes().splitlines())
    refused(s3.create_bucket, Bucket="web-data")
    refused(s3.delete_bucket, Bucket="web-data")
    assert len((fresh.home / "journal" / "journal.jsonl").read_bytes().splitlines()) == lines
    principals.iam.delete_role_policy(RoleName=role.rpartition("/")[2], PolicyName="inline")
    fresh.kill()
    fresh.start()
    assert fresh.client("s3").get_object(Bucket="ml-data", Key="a")["Body"].read() == b"x"
    refused(s3.put_object, Bucket="ml-data", Key="b", Body=b"")
    principals.iam.put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="inline",
        PolicyDocument=document(allow("s3:PutObject", "arn:aws:s3:::${aws:PrincipalTag/team}-data*")),
    )
    s3.put_object(Bucket="ml-data", Key="b", Body=b"")


def test_a_session_that_is_over_is_refused_and_what_it_did_stays(fresh: Running):
    principals = Principals(fresh.start())
    session = principals.session(principals.role(allow("*")))
    fresh.client("s3", **session).create_bucket(Bucket="made-in-time")
    fresh.stop()
    command = [sys.executable, "-c", LATER, "--home", str(fresh.home), "--port", str(fresh.port), "--no-dataplanes"]
    with fresh.log.open("ab") as log:
        fresh.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **MOTO_SETTINGS})
    deadline = time.monotonic() + 60
    while fresh.health()[0] != 200:
        assert time.monotonic() < deadline, fresh.log.read_text()
        time.sleep(0.05)
    assert [item["Name"] for item in fresh.client("s3").list_buckets()["Buckets"]] == ["made-in-time"]
    for service, call, code in (
        ("s3", "list_buckets", "ExpiredToken"),
        ("iam", "list_roles", "ExpiredToken"),
        ("ec2", "describe_vpcs", "RequestExpired"),
        ("kms", "list_keys", "ExpiredTokenException"),
    ):
        assert refused(getattr(fresh.client(service, **session), call)).startswith(f"{code}:")

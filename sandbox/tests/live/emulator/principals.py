"""Roles and users of an emulated account for tests, with clients that act as them."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.live.emulator.running import ACCOUNT, Running

Statement = Mapping[str, Any]


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: str | Sequence[str], resources: str | Sequence[str] = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: str | Sequence[str], resources: str | Sequence[str] = "*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **more}


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    """Return code and message of a call that is rejected."""
    with pytest.raises(ClientError) as failure:
        call(**arguments)
    error = failure.value.response["Error"]
    return f"{error['Code']}: {error.get('Message')}"


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
TRUST_ACCOUNT = document({"Effect": "Allow", "Principal": ROOT, "Action": ["sts:AssumeRole", "sts:TagSession"]})


_numbers = itertools.count(1)


class Principals:
    """Factory of roles and users in one emulator, and of clients with their credentials."""

    def __init__(self, emulator: Running) -> None:
        self.emulator = emulator
        self.iam = emulator.client("iam")

    def name(self, kind: str = "role") -> str:
        return f"{kind}-{next(_numbers)}"

    def role(self, *statements: Statement, trust: str = TRUST_ACCOUNT, **more: Any) -> str:
        name = self.name()
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]["Arn"]
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
        return str(arn)

    def session(self, role_arn: str, **more: Any) -> dict[str, str]:
        """Return a session's credentials under boto3's argument names."""
        sts = self.emulator.client("sts")
        return credentials(sts.assume_role(RoleArn=role_arn, RoleSessionName="me", **more))

    def act_as(self, *statements: Statement) -> Callable[[str], Any]:
        """Return a client factory for a session of a new role with these policy statements."""
        session = self.session(self.role(*statements))
        return lambda service: self.emulator.client(service, **session)

    def user(self, *statements: Statement) -> tuple[str, dict[str, str]]:
        name = self.name("user")
        self.iam.create_user(UserName=name)
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document(*statements))
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return name, {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def credentials(answer: Mapping[str, Any]) -> dict[str, str]:
    found = answer["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }

"""Tokens as GitHub Actions issues them to a job. The emulator reads their claims and verifies no signature."""

import base64
import json
import time
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from mlp_sandbox.environment import REGION
from mlp_sandbox.testing.box import Box

MAIN = "repo:acme/ml-platform:ref:refs/heads/main"

ISSUER = "token.actions.githubusercontent.com"


def token(**claims: Any) -> str:
    """Return a token for STS that is valid for five minutes; `sub` identifies its job."""
    known = {"iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com", "exp": int(time.time()) + 300}
    return f"{_part({'alg': 'none'})}.{_part({**known, **claims})}.c2ln"


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def sign_in(box: Box, role_arn: str, subject: str) -> dict[str, str]:
    """Return a job's credentials as environment variables."""
    sts = boto3.client(
        "sts", endpoint_url=box.instance.endpoint, region_name=REGION, config=Config(signature_version=UNSIGNED)
    )
    given = sts.assume_role_with_web_identity(
        RoleArn=role_arn, RoleSessionName="job", WebIdentityToken=token(sub=subject)
    )["Credentials"]
    names = {"ACCESS_KEY_ID": "AccessKeyId", "SECRET_ACCESS_KEY": "SecretAccessKey", "SESSION_TOKEN": "SessionToken"}
    return {f"AWS_{name}": given[field] for name, field in names.items()}

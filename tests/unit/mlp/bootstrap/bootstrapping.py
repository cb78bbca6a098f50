"""`mlp bootstrap` against an account in memory: the commands, and the resulting resources."""

import json
from typing import Any

import boto3
from typer.testing import CliRunner, Result

from mlp.app import make_app

BUCKET = "acme-ml-platform-staging-state"
ALIAS = "alias/ml-platform-staging-state"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), ["bootstrap", *arguments])


def apply(env: str = "staging") -> dict[str, dict[str, Any]]:
    done = run("--env", env, "--yes", "--json")
    assert done.exit_code == 0, done.output
    return {item["kind"]: item for item in json.loads(done.stdout)["items"]}


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")


def state_key() -> str:
    return str(client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"])

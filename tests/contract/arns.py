"""ARNs and names in AWS's format. The recording cloud's are shorter, and patterns of policies do not match them."""

import re

from mlp.recording import ACCOUNT, PROJECT, Recorded
from tests.contract.programs import Program

MADE_UP = "-1234567"
_MOCK = re.compile(r"arn:aws:mock:::([A-Za-z0-9._-]+)")
_BUCKET = re.compile(r"(?<=arn:aws:s3:::)([A-Za-z0-9._-]+)-id\b")


def name_of(stack: str, resource: Recorded) -> str:
    """Return the fixed name, or the name that the engine would generate."""
    return str(resource.inputs.get("name") or f"{PROJECT}-{stack}-{resource.name}{MADE_UP}")


def arn_of(stack: str, resource: Recorded) -> str:
    name = name_of(stack, resource)
    forms = {
        "aws:cloudwatch/logGroup:LogGroup": f"logs:us-east-1:{ACCOUNT}:log-group:{name}",
        "aws:iam/policy:Policy": f"iam::{ACCOUNT}:policy/{name}",
        "aws:iam/role:Role": f"iam::{ACCOUNT}:role/{name}",
        "aws:kms/key:Key": f"kms:us-east-1:{ACCOUNT}:key/{resource.name:0<36}",
        "aws:s3/bucket:Bucket": f"s3:::{name}",
        "aws:secretsmanager/secret:Secret": f"secretsmanager:us-east-1:{ACCOUNT}:secret:{name}-AbCdEf",
    }
    return f"arn:aws:{forms.get(resource.typ, f'mock:::{name}')}"


def realistic(environment: Program, text: str) -> str:
    """Return a text of the program, such as a policy, with its ARNs in AWS's format."""
    by_name = {each.name: each for each in environment.aws}

    def arn(found: re.Match[str]) -> str:
        return arn_of(environment.stack, by_name[found[1]]) if found[1] in by_name else found[0]

    def bucket(found: re.Match[str]) -> str:
        return name_of(environment.stack, by_name[found[1]]) if found[1] in by_name else found[0]

    return _BUCKET.sub(bucket, _MOCK.sub(arn, text))

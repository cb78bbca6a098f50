"""IAM: AWS managed policies are loaded for the partition `aws` only.

moto creates the state of every partition as soon as one is used, with the same 1,500 policies six times. That took half
of the start-up time of an account.
"""

from typing import Any

from moto.iam.models import IAMBackend


def _in_aws_only(original: Any) -> Any:
    def _init_aws_policies(self: Any) -> list[Any]:
        return original(self) if self.region_name == "aws" else []

    return _init_aws_policies


_backend: Any = IAMBackend
_backend._init_aws_policies = _in_aws_only(_backend._init_aws_policies)

"""IAM: AWS's own policies are read for the partition `aws` only.

moto makes the state of every partition as soon as one is asked for, six times the same 1,500 policies: that was half of
the time that an account needs to come back.
"""

from typing import Any

from moto.iam.models import IAMBackend


def _in_aws_only(original: Any) -> Any:
    def _init_aws_policies(self: Any) -> list[Any]:
        return original(self) if self.region_name == "aws" else []

    return _init_aws_policies


_backend: Any = IAMBackend
_backend._init_aws_policies = _in_aws_only(_backend._init_aws_policies)

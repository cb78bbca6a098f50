"""AWS's managed policies exist in each partition and are loaded once."""

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam import models
from moto.iam.models import IAMBackend

from mlp_sandbox.emulator import services


def test_only_the_partition_aws_reads_the_policies_of_aws(monkeypatch: pytest.MonkeyPatch):
    services.load()
    monkeypatch.setattr(models, "load_iam_aws_managed_policies", lambda: True)
    read = {name: len(IAMBackend(name, DEFAULT_ACCOUNT_ID).managed_policies) for name in ("aws", "aws-cn")}
    assert read["aws"] > 1000
    assert read["aws-cn"] == 0

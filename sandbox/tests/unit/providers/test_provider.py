"""The provider's reaction to a handler's answers, independent of the type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from mlp_sandbox.providers.aws.provider import AwsProvider
from mlp_sandbox.providers.protocol import ProviderError, Resource

GATEWAY = Resource(
    "urn:pulumi:test::p::aws:ec2/internetGateway:InternetGateway::way-out",
    "aws:ec2/internetGateway:InternetGateway",
    "way-out",
)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProvider]:
    with mock_aws():
        made = AwsProvider()
        with monkeypatch.context() as sandbox:
            sandbox.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            made.configure({"region": "us-east-1"})
        yield made


def test_changing_what_is_gone_names_the_resource_and_says_how_to_go_on(provider: AwsProvider) -> None:
    old = {"vpcId": "vpc-1"}
    with pytest.raises(ProviderError, match=r"update .*InternetGateway way-out: .*igw-00000000.* `pulumi refresh`"):
        provider.update(GATEWAY, "igw-00000000", old, old, {"vpcId": "vpc-2"}, preview=False)


def test_deleting_what_is_gone_is_done(provider: AwsProvider) -> None:
    provider.delete(GATEWAY, "igw-00000000", {"vpcId": "vpc-1"})


def test_reading_what_is_gone_answers_that_there_is_nothing(provider: AwsProvider) -> None:
    assert provider.read(GATEWAY, "igw-00000000", {"vpcId": "vpc-1"}, {}) is None

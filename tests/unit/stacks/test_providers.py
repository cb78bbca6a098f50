"""The provider tags everything that it creates, for search, billing and ownership."""

import pytest

from mlp.recording import Deploy
from stacks.providers import aws_provider
from stacks.settings import parse_settings
from tests.unit.stacks.examples import SOUND


def test_everything_is_tagged_with_its_environment_and_its_owner(deploy: Deploy):
    _, cloud = deploy(lambda: aws_provider(parse_settings(SOUND, "test")))
    [provider] = cloud.of_type("pulumi:providers:aws")
    assert provider.inputs["region"] == "eu-west-1"
    # Provider inputs travel as JSON texts.
    for tag in (
        '"environment": "prod"',
        '"project": "ml-platform"',
        '"cost-center": "cc-1"',
        '"owner": "ml@acme.example"',
    ):
        assert tag in str(provider.inputs["defaultTags"])


@pytest.mark.parametrize("secret", ["accessKey", "secretKey", "token", "profile"])
def test_no_credentials_are_configured(deploy: Deploy, secret: str):
    _, cloud = deploy(lambda: aws_provider(parse_settings(SOUND, "test")))
    assert secret not in cloud.of_type("pulumi:providers:aws")[0].inputs

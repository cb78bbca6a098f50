"""`pulumi-resource-aws` for an emulated account; the engine starts it with its own address as the only argument."""

from importlib.metadata import version

from mlp_sandbox.providers.aws.provider import AwsProvider
from mlp_sandbox.providers.protocol import serve

serve(AwsProvider(), version("pulumi-aws"))

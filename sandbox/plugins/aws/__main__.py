"""`pulumi-resource-aws` for an emulated account: the engine starts it with its own address as the only argument."""

from importlib.metadata import version

from sandbox.plugins.aws.provider import AwsProvider
from sandbox.plugins.protocol import serve

serve(AwsProvider(), version("pulumi-aws"))

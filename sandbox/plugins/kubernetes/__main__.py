"""`pulumi-resource-kubernetes` for a sandbox: the engine starts it with its own address as the only argument."""

from importlib.metadata import version

from sandbox.plugins.kubernetes.provider import KubernetesProvider
from sandbox.plugins.protocol import serve

serve(KubernetesProvider(), version("pulumi-kubernetes"))

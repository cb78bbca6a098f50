"""`pulumi-resource-kubernetes` for a sandbox; the engine starts it with its own address as the only argument."""

from importlib.metadata import version

from mlp_sandbox.providers.kubernetes.provider import KubernetesProvider
from mlp_sandbox.providers.protocol import serve

serve(KubernetesProvider(), version("pulumi-kubernetes"))

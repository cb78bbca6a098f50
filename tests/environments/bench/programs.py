"""Generated programs with the same number of resources in the same components, one with AWS and one with bare types."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BARE_VERSION: Final = "1.0.0"
PER_COMPONENT: Final = 10
KINDS: Final = ("bare", "aws")

_PROVIDERS: Final = {
    "aws": """import pulumi_aws as aws

provider = aws.Provider("aws", region="us-east-1", default_tags={{"tags": {{"environment": "bench"}}}})


def resource(name, opts):
    aws.cloudwatch.LogGroup(name, retention_in_days=14, tags={{"Name": name, "team": "ml-platform"}}, opts=opts)
""",
    "bare": """
provider = pulumi.ProviderResource("bare", "bare", {{}}, pulumi.ResourceOptions(version="{version}"))


def resource(name, opts):
    properties = {{"retentionInDays": 14, "tags": {{"Name": name, "team": "ml-platform"}}}}
    pulumi.CustomResource("bare:index:Resource", name, properties, opts)
""",
}

_COMPONENTS: Final = """

class Group(pulumi.ComponentResource):
    def __init__(self, name, count, opts):
        super().__init__("bench:index:Group", name, {{}}, opts)
        for index in range(count):
            resource(f"{{name}}-{{index}}", pulumi.ResourceOptions(parent=self, provider=provider))
        self.register_outputs({{}})


for start in range(0, {size}, {step}):
    options = pulumi.ResourceOptions(providers=[provider])
    Group(f"group-{{start // {step}}}", min({step}, {size} - start), options)
"""


def source(kind: str, size: int) -> str:
    """Return the program text; `kind` is one of KINDS."""
    template = "import pulumi\n" + _PROVIDERS[kind] + _COMPONENTS
    return template.format(size=size, step=PER_COMPONENT, version=BARE_VERSION)


def write(folder: Path, kind: str, size: int) -> Path:
    """Write a Pulumi project with the generated program; returns its folder."""
    project = folder / f"{kind}-{size}"
    project.mkdir(parents=True)
    (project / "Pulumi.yaml").write_text(f"name: bench-{kind}-{size}\nruntime: python\n")
    (project / "__main__.py").write_text(source(kind, size))
    return project

"""Launch templates: their own tags are no data of a version, and change with CreateTags and DeleteTags."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.launch_templates import LaunchTemplate

from sandbox.emulator.extensions.ec2_tags import forget_tags
from sandbox.emulator.extensions.registry import Call, Result, extends


def _current_tags(template: Any) -> list[dict[str, str]]:
    return template.get_tags()


def _ignore(_template: Any, _tags: list[dict[str, str]]) -> None:
    """moto would keep the tags of the creation for ever."""


_template: Any = LaunchTemplate
_template.tags = property(_current_tags, _ignore)


@extends("ec2", "CreateLaunchTemplate")
def create(call: Call) -> Result:
    """moto puts the template's tags among those that instances get."""
    result = call.proceed()
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    data = backend.launch_templates[result["LaunchTemplate"]["LaunchTemplateId"]].versions[0].data
    specs = [spec for spec in data.get("TagSpecifications") or [] if spec["ResourceType"] != "launch-template"]
    data.pop("TagSpecifications", None)
    if specs:
        data["TagSpecifications"] = specs
    return result


@extends("ec2", "DeleteLaunchTemplate")
def delete(call: Call) -> Result:
    """With a template go its tags."""
    result = call.proceed()
    forget_tags(call, [result["LaunchTemplate"]["LaunchTemplateId"]])
    return result

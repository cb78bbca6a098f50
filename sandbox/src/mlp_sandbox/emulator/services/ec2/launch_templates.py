"""Launch templates: versions are inherited, deleted and numbered as on EC2, and read back as sent.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-launch-template-versions.html
"""

import copy
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.utils import parse_user_data

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.ec2.tags import forget_tags
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_UNKNOWN_VERSION = "InvalidLaunchTemplateId.VersionNotFound"
_MOST = 200
"""Results in a page: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html."""


def _current_tags(template: Any) -> list[dict[str, str]]:
    return template.get_tags()


def _ignore(_template: Any, _tags: list[dict[str, str]]) -> None:
    """Ignore the tags of the creation, which moto would keep for ever."""


def _create_version(self: Any, data: Result, description: str) -> LaunchTemplateVersion:
    """Create a version. Numbers of deleted versions are not reused."""
    self.last_number = getattr(self, "last_number", 0) + 1
    version = LaunchTemplateVersion(self, self.last_number, data, description)
    self.versions.append(version)
    return version


def _get_version(self: Any, number: Any) -> LaunchTemplateVersion:
    wanted = {"$latest": self.versions[-1].number, "$default": self.default_version_number}.get(
        str(number).lower(), number
    )
    for version in self.versions:
        if str(version.number) == str(wanted):
            found: LaunchTemplateVersion = version
            return found
    raise Fault(_UNKNOWN_VERSION, f"Could not find launch template version {number} of {self.id}")


_template: Any = LaunchTemplate
_template.tags = property(_current_tags, _ignore)
_template.create_version = _create_version
_template.get_version = _get_version
_template.default_version = lambda self: self.get_version("$Default")


@extends("ec2", "CreateLaunchTemplate")
def create(call: Call) -> Result:
    """Create a template. moto mixes the template's tags with those for instances; this replaces the version's data."""
    data = _data(call)
    result = call.proceed()
    version = _backend(call).launch_templates[result["LaunchTemplate"]["LaunchTemplateId"]].versions[0]
    _set_data(version, data)
    return result


@extends("ec2", "CreateLaunchTemplateVersion")
def create_version(call: Call) -> Result:
    """Create a version. With a source version, it inherits everything that the request does not set."""
    template, source = _find(call), call.params.get("SourceVersion")
    inherited = copy.deepcopy(template.get_version(source).data) if source else {}
    version = template.create_version({}, call.params.get("VersionDescription"))
    _set_data(version, inherited | _data(call))
    return {"LaunchTemplateVersion": _shown(call, template, version)}


@extends("ec2", "ModifyLaunchTemplate")
def modify(call: Call) -> Result:
    """Set another default version, which must exist."""
    template = _find(call)
    template.default_version_number = template.get_version(call.params["DefaultVersion"]).number
    return {"LaunchTemplate": _summary(call, template)}


@extends("ec2", "DeleteLaunchTemplate")
def delete(call: Call) -> Result:
    """Delete a template with its tags."""
    result = call.proceed()
    forget_tags(call, [result["LaunchTemplate"]["LaunchTemplateId"]])
    return result


@extends("ec2", "DeleteLaunchTemplateVersions")
def delete_versions(call: Call) -> Result:
    """Delete versions one by one, and report those that cannot be deleted. The default version stays."""
    template = _find(call)
    gone: list[Result] = []
    kept: list[Result] = []
    for number in call.params["Versions"]:
        about = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}
        known = next((version for version in template.versions if str(version.number) == str(number)), None)
        if known is None:
            code = ("launchTemplateVersionDoesNotExist", f"Version {number} does not exist")
        elif template.is_default(known):
            code = ("unexpectedError", f"Version {number} is the default version, which cannot be deleted")
        else:
            template.versions.remove(known)
            gone.append(about)
            continue
        kept.append(about | {"ResponseError": {"Code": code[0], "Message": code[1]}})
    return {
        "SuccessfullyDeletedLaunchTemplateVersions": gone,
        "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
    }


@extends("ec2", "DescribeLaunchTemplates")
def describe(call: Call) -> Result:
    """Describe all templates; moto stops after 15 without notice."""
    found = call.proceed(call.altered(without=("MaxResults", "NextToken"), MaxResults="1000000"))["LaunchTemplates"]
    shown, token = _page(call, found)
    return {"LaunchTemplates": shown, **token}


@extends("ec2", "DescribeLaunchTemplateVersions")
def describe_versions(call: Call) -> Result:
    """Describe versions: some or all of one template, or the latest or default versions of all templates."""
    params = call.params
    wanted = [str(version) for version in params.get("Versions") or []]
    if params.get("LaunchTemplateId") or params.get("LaunchTemplateName"):
        template = _find(call)
        low, high = int(params.get("MinVersion") or 1), int(params.get("MaxVersion") or template.last_number)
        versions = [template.get_version(version) for version in wanted] or [
            version for version in reversed(template.versions) if low <= version.number <= high
        ]
        found = [(template, version) for version in versions]
    elif wanted and set(wanted) <= {"$Latest", "$Default"}:
        templates = list(_backend(call).launch_templates.values())
        found = [(template, template.get_version(version)) for template in templates for version in wanted]
    else:
        raise Fault(
            "InvalidParameterValue",
            "To describe versions of all launch templates, give $Latest, $Default or both; for numbers, name one "
            "launch template",
        )
    shown, token = _page(call, [_shown(call, template, version) for template, version in found])
    return {"LaunchTemplateVersions": shown, **token}


def _page(call: Call, found: list[Result]) -> tuple[list[Result], dict[str, str]]:
    start = int(call.params.get("NextToken") or 0)
    end = start + int(call.params.get("MaxResults") or _MOST)
    return found[start:end], {"NextToken": str(end)} if end < len(found) else {}


def _data(call: Call) -> Result:
    data = copy.deepcopy(call.params.get("LaunchTemplateData") or {})
    user_data = data.pop("UserData", None)
    if user_data:
        try:
            data["UserData"] = parse_user_data(user_data)
        except EC2ClientError as error:
            raise Fault("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from error
    return {name: value for name, value in data.items() if value is not None}


def _set_data(version: Any, data: Result) -> None:
    version.data = data
    specs = data.get("TagSpecifications") or []
    instance = [spec.get("Tags") or [] for spec in specs if spec.get("ResourceType") == "instance"]
    version.instance_tags = {tag["Key"]: tag.get("Value", "") for tags in instance for tag in tags}


def _shown(call: Call, template: Any, version: Any) -> Result:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionNumber": version.number,
        "CreateTime": version.create_time,
        "CreatedBy": f"arn:aws:iam::{call.identity.account}:root",
        "DefaultVersion": template.is_default(version),
        "LaunchTemplateData": version.data | _readable(version.data),
        **({"VersionDescription": version.description} if version.description else {}),
    }


def _readable(data: Result) -> Result:
    return {"UserData": str(data["UserData"])} if data.get("UserData") else {}


def _summary(call: Call, template: Any) -> Result:
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "CreateTime": template.create_time,
        "CreatedBy": f"arn:aws:iam::{call.identity.account}:root",
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.latest_version_number,
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in template.get_tags()],
    }


def _find(call: Call) -> Any:
    id, name, backend = call.params.get("LaunchTemplateId"), call.params.get("LaunchTemplateName"), _backend(call)
    if bool(id) == bool(name):
        raise Fault("MissingParameter", "Give either a launch template ID or a launch template name")
    if name and name not in backend.launch_template_name_to_ids:
        text = f"The specified launch template, with template name {name}, does not exist."
        raise Fault("InvalidLaunchTemplateName.NotFoundException", text)
    template = backend.launch_templates.get(id or backend.launch_template_name_to_ids[name])
    if template is None:
        text = f"The specified launch template, with template ID {id}, does not exist."
        raise Fault("InvalidLaunchTemplateId.NotFound", text)
    return template


def _backend(call: Call) -> Any:
    return ec2_backends[call.identity.account][call.identity.region]

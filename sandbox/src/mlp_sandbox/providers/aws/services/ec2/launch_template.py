"""Launch templates: a change makes a new version, in place."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import NAMED, REGION, TAGS, Problems, given, one_of, present
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn
from mlp_sandbox.providers.aws.services.ec2._launch_template_data import DATA, from_data, to_data

GONE = ("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException")
NAME = (
    r"[A-Za-z0-9().\-/_]{3,128}"  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
)
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateTagSpecificationRequest.html
TAGGED = ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")
USER_DATA_BYTES = 16 * 1024  # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html


class LaunchTemplate(Ec2Handler):
    token = "aws:ec2/launchTemplate:LaunchTemplate"
    tagged = True
    autoname = AutoName(max_length=128)
    api = Api("launch-template", "describe_launch_templates", "LaunchTemplateIds", "LaunchTemplates", GONE)
    outputs = ("arn", "latestVersion")
    unsupported: ClassVar[Mapping[str, str]] = {
        "instanceRequirements": "EKS node groups name their types; give instanceTypes there",
        "secondaryInterfaces": "the sandbox has no secondary networks; leave it out",
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **{name: Field(kind="exact") for name in DATA},
        **{name: Field() for name in unsupported},
        **NAMED,
        **REGION,
        **TAGS,
        "defaultVersion": Field(computed=True),
        "description": Field(),
        "disableApiStop": Field(default=False),
        "disableApiTermination": Field(default=False),
        "securityGroupNames": Field(kind="set"),
        "updateDefaultVersion": Field(default=False),
        "vpcSecurityGroupIds": Field(kind="set"),
    }

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        name = inputs.get("name")
        if isinstance(name, str) and not re.fullmatch(NAME, name):
            problems.append(("name", f"is {name!r}: give 3 to 128 letters, digits or characters of ()./_-"))
        if inputs.get("updateDefaultVersion") and "defaultVersion" in inputs:
            problems.append(("defaultVersion", "conflicts with updateDefaultVersion: give one of the two"))
        problems += _user_data(inputs.get("userData"))
        metadata, interfaces = inputs.get("metadataOptions"), inputs.get("networkInterfaces")
        if isinstance(metadata, dict):
            said = one_of(metadata, "httpTokens", ("optional", "required"))
            hops = metadata.get("httpPutResponseHopLimit")
            problems += [("metadataOptions", f"has httpTokens that {text}") for _, text in said]
            if isinstance(hops, int) and not 1 <= hops <= 64:
                problems.append(("metadataOptions", f"has httpPutResponseHopLimit {hops}: give a number from 1 to 64"))
        if isinstance(interfaces, list) and interfaces and inputs.get("vpcSecurityGroupIds"):
            why = "conflicts with networkInterfaces: give each interface its securityGroups"
            problems.append(("vpcSecurityGroupIds", why))
        specs = inputs.get("tagSpecifications")
        for spec in specs if isinstance(specs, list) else []:
            if isinstance(spec, dict):
                said = one_of(spec, "resourceType", TAGGED)
                problems += [("tagSpecifications", f"has a resourceType that {text}") for _, text in said]
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        template = self.client(aws, inputs).create_launch_template(
            LaunchTemplateName=inputs["name"],
            LaunchTemplateData=to_data(inputs),
            **given(VersionDescription=inputs.get("description")),
            **self.tagging(inputs),
        )["LaunchTemplate"]
        return str(template["LaunchTemplateId"])

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        latest = live["LatestVersionNumber"]
        found = self.client(aws, inputs).describe_launch_template_versions(LaunchTemplateId=id, Versions=[str(latest)])
        version = found["LaunchTemplateVersions"][0]
        data = from_data(version["LaunchTemplateData"])
        return {
            **data,
            "arn": arn(self.region(aws, inputs), aws.account_id(), f"launch-template/{id}"),
            "defaultVersion": live["DefaultVersionNumber"],
            "latestVersion": latest,
            "name": live["LaunchTemplateName"],
            # An option of updates, which AWS does not store.
            "updateDefaultVersion": inputs.get("updateDefaultVersion", False),
            "disableApiStop": data.get("disableApiStop", False),
            "disableApiTermination": data.get("disableApiTermination", False),
            **present(description=version.get("VersionDescription")),
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        ec2 = self.client(aws, new)
        if changed & {*DATA, "description"}:
            ec2.create_launch_template_version(
                LaunchTemplateId=id,
                LaunchTemplateData=to_data(new),
                **given(VersionDescription=new.get("description")),
            )
        latest = self.find(aws, id, new)["LatestVersionNumber"]
        default = latest if new.get("updateDefaultVersion") else new.get("defaultVersion")
        if default is not None:
            ec2.modify_launch_template(LaunchTemplateId=id, DefaultVersion=str(default))

    def moved(self, new: Props, changed: set[str]) -> set[str]:
        default = {"defaultVersion"} if new.get("updateDefaultVersion") else set[str]()
        if changed & {*DATA, "description"}:
            return {"latestVersion"} | default
        return default if "updateDefaultVersion" in changed else set()

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_launch_template(LaunchTemplateId=id)


def _user_data(text: Any) -> Problems:
    if not isinstance(text, str) or not text:
        return []
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        return [("userData", "is not base64: encode the text, EC2 takes no plain one")]
    if size > USER_DATA_BYTES:
        return [("userData", f"has {size} bytes: EC2 takes at most {USER_DATA_BYTES}")]
    return []


HANDLERS: list[Handler] = [LaunchTemplate()]

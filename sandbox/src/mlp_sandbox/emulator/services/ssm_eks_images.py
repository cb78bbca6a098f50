"""SSM: the public parameters that name EKS's node images, from the same table as node groups.

https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks.images import IMAGES, RELEASES, image_id, image_name, latest_release
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_PREFIX = "/aws/service/eks/optimized-ami/"
_NAME = re.compile(
    _PREFIX + r"(?P<version>[\d.]+)/amazon-linux-2023/(?P<architecture>x86_64|arm64)/(?P<variant>\w+)/"
    r"(?P<which>recommended|amazon-eks-node-al2023-[\w.-]+)(/(?P<field>image_id|image_name|release_version))?"
)
_AMI_TYPES = {(image.architecture, image.variant): name for name, image in IMAGES.items()}


@extends("ssm", "GetParameter")
def get(call: Call) -> Result:
    """Return one parameter."""
    name = str(call.params["Name"])
    if not name.startswith(_PREFIX):
        return call.proceed()
    found = _parameter(call, name)
    if found is None:
        raise Fault("ParameterNotFound", f"Parameter {name} not found.")
    return {"Parameter": found}


@extends("ssm", "GetParameters")
def get_several(call: Call) -> Result:
    """Return EKS's parameters and those that moto has; list those that do not exist."""
    public = {name: _parameter(call, name) for name in call.params["Names"] if name.startswith(_PREFIX)}
    if not public:
        return call.proceed()
    others = [name for name in call.params["Names"] if name not in public]
    result: Result = {"Parameters": [], "InvalidParameters": []}
    if others:
        asked = json.loads(call.request.body) | {"Names": others}
        result |= call.proceed(replace(call.request, body=json.dumps(asked).encode()))
    result["Parameters"] = [*result["Parameters"], *(found for found in public.values() if found)]
    unknown = (name for name, found in public.items() if not found)
    result["InvalidParameters"] = [*result["InvalidParameters"], *unknown]
    return result


def _parameter(call: Call, name: str) -> Result | None:
    match = _NAME.fullmatch(name)
    if match is None or match["version"] not in RELEASES:
        return None
    ami_type = _AMI_TYPES.get((match["architecture"], match["variant"]))
    if ami_type is None:
        return None
    image = IMAGES[ami_type]
    by_name = {image_name(image, release): release for release in RELEASES[match["version"]]}
    recommended = match["which"] == "recommended"
    release = latest_release(match["version"]) if recommended else by_name.get(match["which"])
    if release is None:
        return None
    fields = {
        "image_id": image_id(call.identity.region, ami_type, release),
        "image_name": image_name(image, release),
        "release_version": release,
    }
    value = fields[match["field"]] if match["field"] else json.dumps({"schema_version": "2"} | fields)
    built = datetime.strptime(release.rpartition("-")[2], "%Y%m%d").replace(tzinfo=UTC)
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": RELEASES[match["version"]].index(release) + 1,
        "LastModifiedDate": built,
        "ARN": f"arn:aws:ssm:{call.identity.region}::parameter{name}",
        "DataType": "aws:ec2:image" if match["field"] == "image_id" else "text",
    }

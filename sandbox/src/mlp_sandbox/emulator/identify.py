"""Identification of a request's AWS service and operation from its signature, target header, form or route."""

import re
from dataclasses import dataclass
from functools import cache

from botocore.session import Session
from moto.core.request import Request as MotoRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from
from werkzeug.exceptions import HTTPException

from mlp_sandbox.emulator.messages import Request, environ_for

DEFAULT_REGION = "us-east-1"
_SCOPE = re.compile(r"(?P<key>[^/=\s]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_CBOR_PATH = re.compile(r"^/service/[^/]+/operation/(?P<operation>\w+)$")
# Names in signatures that differ from botocore's service names.
_SIGNING_ALIASES = {
    "airflow": "mwaa",
    "aps": "amp",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "email": "ses",
}
_UNSIGNED_STS = {"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The operation that a request calls. `operation` is empty when no route of the service matches."""

    service: str
    operation: str
    region: str
    protocol: str
    account: str
    access_key: str


@cache
def known_services() -> frozenset[str]:
    """Return every service that botocore has a model of."""
    return frozenset(Session().get_available_services())


def identify(request: Request) -> Identity:
    """Identify the operation. This never fails, because errors about unknown requests need a name too."""
    scope = _SCOPE.search(request.header("authorization")) or _SCOPE.search(
        "".join(request.query.get("X-Amz-Credential", []))
    )
    action = "".join((request.form.get("Action") or request.query.get("Action") or [""])[:1])
    if scope:
        signed = scope["service"].lower()
        service = _SIGNING_ALIASES.get(signed, signed)
        region, access_key = scope["region"], scope["key"]
    else:
        service = "sts" if action in _UNSIGNED_STS else "s3"
        region, access_key = DEFAULT_REGION, ""
    if service == "s3" and request.path.startswith("/v20180820/"):
        service = "s3control"
    operation = action or request.header("x-amz-target").rpartition(".")[2]
    protocol = "rest-json"
    if service in known_services():
        model = get_service_model(service)
        try:
            protocol = determine_request_protocol(model, request.header("content-type"))
        except NotImplementedError:
            protocol = str(model.protocol)
        operation = operation or _routed(service, request)
    return Identity(
        service=service,
        operation=operation,
        region=region,
        protocol=protocol,
        account=get_account_id_from(access_key),
        access_key=access_key,
    )


def _routed(service: str, request: Request) -> str:
    cbor = _CBOR_PATH.match(request.path)
    if cbor:
        return cbor["operation"]
    try:
        operation, _ = get_service_router(service).match(MotoRequest(environ_for(request)))
    except (HTTPException, NotImplementedError):
        return ""
    return str(operation.name)

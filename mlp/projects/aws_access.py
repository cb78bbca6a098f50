"""AWS account of the caller: identity, clients, address of the cluster, token for it, and secrets."""

from __future__ import annotations

import base64
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from mlp.console import PlainError
from mlp.extensions import accounts, selected_account
from mlp.projects.environment import Environment

TOKEN_PREFIX: Final = "k8s-aws-v1."  # noqa: S105
_CLUSTER_HEADER: Final = "x-k8s-aws-id"
_TOKEN_SECONDS: Final = 60
_DENIED: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_BAD_CREDENTIALS: Final = {
    *("InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException", "SignatureDoesNotMatch", "InvalidAccessKeyId"),
    *("UnrecognizedClientException", "AuthFailure", "InvalidToken", "RequestExpired"),
}


@dataclass(frozen=True, kw_only=True)
class ClusterAddress:
    """Address of a cluster. `authority` is the CA certificate of the Kubernetes API, as PEM."""

    name: str
    endpoint: str
    authority: bytes


class AwsAccess:
    """AWS access with the standard credentials. Boto3 also reads the endpoints from its own environment variables."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        with plain_aws_errors(environment):
            self._session = boto3.Session(region_name=environment.region)
        self._config = Config(connect_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})

    @cached_property
    def caller(self) -> str:
        """Return the ARN of the caller."""
        with plain_aws_errors(self._environment):
            return str(self.client("sts").get_caller_identity()["Arn"])

    @property
    def account(self) -> str:
        """Return the account id.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
        """
        return self.caller.split(":")[4]

    def cluster(self) -> ClusterAddress:
        environment = self._environment
        with plain_aws_errors(environment):
            found: dict[str, Any] = self.client("eks").describe_cluster(name=environment.cluster)["cluster"]
        if found["status"] not in ("ACTIVE", "UPDATING"):
            raise PlainError(f"the cluster {environment.cluster} is {found['status']}; try again when it is ACTIVE")
        authority = base64.b64decode(found["certificateAuthority"]["data"])
        return ClusterAddress(name=environment.cluster, endpoint=str(found["endpoint"]), authority=authority)

    def token(self) -> str:
        """Return a token that identifies the caller to this cluster, like `aws eks get-token`.

        It is valid for 15 minutes.

        https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
        """
        with plain_aws_errors(self._environment):
            # A separate client: the handler registered below would change the client's other requests.
            sts = self.client("sts")

            def name_cluster(request: Any, **_: Any) -> None:
                request.headers[_CLUSTER_HEADER] = self._environment.cluster

            sts.meta.events.register("before-sign.sts.GetCallerIdentity", name_cluster)
            url: str = sts.generate_presigned_url("get_caller_identity", ExpiresIn=_TOKEN_SECONDS, HttpMethod="GET")
        return TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")

    def secret(self, name: str, absent: str) -> str:
        """Return the value of a secret. If there is none, raise PlainError with the message `absent`."""
        try:
            with plain_aws_errors(self._environment):
                return str(self.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        except AbsentError:
            raise PlainError(absent) from None

    def client(self, service: str) -> Any:
        """Return a client of a service in the environment's region.

        All commands on projects and images get their clients here. If the shell selects a replacement for AWS, the
        client uses that account, whatever other endpoints the shell sets.

        Args:
            service: boto3's name of the service, such as s3.
        """
        # Regional, because the token's URL must be regional for clusters in opt-in regions.
        return self._session.client(service, config=self._config, endpoint_url=local_account())


def regional_client(service: str, region: str) -> Any:
    """Return a client of a service in any region, such as the region of a registry of AWS."""
    return boto3.Session(region_name=region).client(service, endpoint_url=local_account())


def local_account() -> str | None:
    """Return the endpoint of the replacement for AWS if the shell selects one, for every service alike; otherwise None.

    Without an explicit endpoint, a variable such as AWS_ENDPOINT_URL_STS, or an endpoint in a profile, would take
    precedence over AWS_ENDPOINT_URL. On AWS the caller's own endpoints apply.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    account = selected_account()
    return account.endpoint() if account else None


def _sign_in() -> str:
    others = "".join(f"; or for {each.title} `{each.sign_in}`" for each in accounts())
    return f"sign in, for example with `aws sso login`{others}"


class AbsentError(PlainError):
    """Error: AWS reports that the resource does not exist."""


@contextmanager
def plain_aws_errors(environment: Environment) -> Generator[None]:
    """Convert botocore's exceptions into one error for users."""
    try:
        yield
    except ClientError as error:
        raise _explain(error, environment) from error
    except S3UploadFailedError as error:
        # boto3 raises it in place of the error response of S3.
        cause = error.__context__
        raise _explain(cause, environment) if isinstance(cause, ClientError) else PlainError(str(error)) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise PlainError(f"no AWS credentials: {_sign_in()}") from error
    except ProfileNotFound as error:
        raise PlainError(f"{error}: set AWS_PROFILE to one of `aws configure list-profiles`") from error
    except ConnectionError as error:
        raise PlainError(
            f"AWS cannot be reached ({error}): check the network, proxy settings and AWS_ENDPOINT_URL"
            + "".join(f"; {each.title} is started with {each.start}" for each in accounts())
        ) from error
    except BotoCoreError as error:
        raise PlainError(f"the AWS client failed ({error}): {_sign_in()}") from error


def _explain(error: ClientError, environment: Environment) -> PlainError:
    code = error.response["Error"]["Code"]
    said = error.response["Error"].get("Message", "").strip() or code
    if code in _BAD_CREDENTIALS:
        return PlainError(f"AWS does not accept the credentials ({code}): {_sign_in()}")
    if code == "ResourceNotFoundException" and error.operation_name == "DescribeCluster":
        return PlainError(
            f"the cluster {environment.cluster} is not there in {environment.region}: "
            f"deploy the environment with {environment.deploy}, or sign in to the account that has it"
        )
    if code == "ResourceNotFoundException":
        return AbsentError(said)
    if code in _DENIED:
        return PlainError(
            f"{said} ({error.operation_name}); assume a role that may: docs/projects.md says what each command needs"
        )
    return PlainError(f"{error.operation_name} failed with {code}: {said}")

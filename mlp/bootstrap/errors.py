"""Error messages of `mlp bootstrap` for AWS errors: the failed operation, the caller, and the fix."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)

from mlp.bootstrap.plan import BootstrapError

_DENIED: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
_BAD_CREDENTIALS: Final = {
    *("InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException", "SignatureDoesNotMatch", "InvalidAccessKeyId"),
    *("UnrecognizedClientException", "AuthFailure", "InvalidToken", "RequestExpired"),
}


@contextmanager
def plain_aws_errors(caller: str | None = None) -> Generator[None]:
    """Convert botocore's exceptions into one error for users."""
    try:
        yield
    except ClientError as error:
        raise BootstrapError(explain(error, caller)) from error
    except BotoCoreError as error:
        raise BootstrapError(_explain_client_side(error)) from error


def explain(error: ClientError, caller: str | None) -> str:
    """Return the message for an error response of AWS."""
    code = error.response["Error"]["Code"]
    said = error.response["Error"].get("Message", "").strip() or code
    operation = error.operation_name
    if code in _BAD_CREDENTIALS:
        return f"AWS does not accept the credentials ({code}): sign in again, for example with `aws sso login`"
    if operation == "HeadBucket" and code in _DENIED:
        return (
            f"{caller} may not access the state bucket: it belongs to another AWS account, or s3:ListBucket is not "
            "allowed; set identities.state_bucket to another name, or sign in as an administrator"
        )
    if code in _DENIED:
        return f"{caller or 'the caller'} may not {operation}: {said}. Sign in as an administrator of the account"
    return f"{operation} failed with {code}: {said}"


def _explain_client_side(error: BotoCoreError) -> str:
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "no AWS credentials were found: sign in with `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID"
    if isinstance(error, ProfileNotFound):
        return f"{error}: set AWS_PROFILE to one of `aws configure list-profiles`"
    if isinstance(error, ConnectionError):
        return f"AWS cannot be reached ({error}): check the network, proxy settings and AWS_ENDPOINT_URL"
    return f"the AWS client failed: {error}"

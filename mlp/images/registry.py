"""Registry client: it reads the current digest of a tag by HTTP, from the multi-architecture index if there is one.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from typing import Any, Final

from components.images.table import DIGEST
from mlp.console import PlainError
from mlp.images.reference import DOCKER_HUB, Reference, is_plain_http, parse_reference

# Without the first two types, a registry returns the manifest of one architecture, which other nodes cannot run.
ACCEPT: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ECR: Final = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_SERVERS: Final = {DOCKER_HUB: "registry-1.docker.io"}
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')
_SECONDS: Final = 30
_MOST_BYTES: Final = 4 * 1024 * 1024


def read_digest(text: str) -> str:
    """Return the digest of the image that a registry has under a tag.

    Args:
        text: the reference, [host/]path:tag. A digest in it is ignored.

    Raises:
        PlainError: the registry cannot be reached, denies access, has no such tag, or returns an inconsistent digest.
    """
    reference = parse_reference(text)
    server = _SERVERS.get(reference.host, reference.host)
    address = f"{_scheme(server)}://{server}/v2/{reference.path}/manifests/{urllib.parse.quote(reference.tag)}"
    try:
        body, said = _manifest(address, reference)
    except urllib.error.HTTPError as error:
        error.close()
        raise PlainError(f"{reference}: {server} answers {error.code} ({error.reason}){_hint(error.code)}") from error
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise PlainError(f"{reference}: {server} cannot be asked: {error}") from error
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if said is not None and DIGEST.fullmatch(said) and said != digest:
        raise PlainError(f"{reference}: {server} says that it is {said} and sends {digest}; ask again, from elsewhere")
    return digest


def _manifest(address: str, reference: Reference) -> tuple[bytes, str | None]:
    try:
        return _get(address, _ecr_authorization(reference.host))
    except urllib.error.HTTPError as error:
        challenge = error.headers.get("WWW-Authenticate", "")
        if error.code != 401 or not challenge.lower().startswith("bearer "):
            raise
        error.close()
        return _get(address, f"Bearer {_token(challenge, reference)}")


def _get(address: str, authorization: str | None) -> tuple[bytes, str | None]:
    request = urllib.request.Request(address)  # noqa: S310 - http or https, as written above
    request.add_header("Accept", ", ".join(ACCEPT))
    if authorization:
        # Not sent to another host if the registry redirects.
        request.add_unredirected_header("Authorization", authorization)
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
        kind = answer.headers.get_content_type()
        body: bytes = answer.read(_MOST_BYTES + 1)
        if kind not in ACCEPT or len(body) > _MOST_BYTES:
            raise ValueError(
                f"it answered with {kind} ({len(body)} bytes), which is not an image manifest; check the registry's "
                "host and the proxy settings"
            )
        return body, answer.headers.get("Docker-Content-Digest")


def _token(challenge: str, reference: Reference) -> str:
    """Return an anonymous token, which registries issue for public images."""
    wanted = dict(_PARAMETER.findall(challenge))
    realm = wanted.get("realm", "")
    if not realm.startswith("https://") and not (realm.startswith("http://") and is_plain_http(reference.host)):
        raise ValueError(f"it asks for a token of {realm!r}, which is no https address")
    query = {"service": wanted.get("service", ""), "scope": f"repository:{reference.path}:pull"}
    address = f"{realm}?{urllib.parse.urlencode({key: value for key, value in query.items() if value})}"
    with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - https, or of this machine
        found: Any = json.loads(answer.read(_MOST_BYTES))
    token = found.get("token") or found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token:
        raise ValueError(f"{realm} gave no token")
    return token


def _ecr_authorization(host: str) -> str | None:
    """Return the authorization header for a private ECR registry, None for other registries.

    ECR accepts credentials of any account that may pull.
    """
    found = _ECR.fullmatch(host)
    if found is None:
        return None
    # These imports take a second, so other registries skip them.
    from botocore.exceptions import BotoCoreError, ClientError

    from mlp.projects.aws_access import regional_client

    try:
        client = regional_client("ecr", found["region"])
        token: str = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    except (BotoCoreError, ClientError) as error:
        raise ValueError(f"it lets in AWS credentials only: {error}") from error
    return f"Basic {token}"


def _scheme(server: str) -> str:
    return "http" if is_plain_http(server) else "https"


def _hint(status: int) -> str:
    return {404: "; correct the tag", 429: "; ask again later"}.get(status, "")

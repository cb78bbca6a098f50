"""Tokens of `aws eks get-token`: a presigned GetCallerIdentity request, checked as EKS's authenticator does.

https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
"""

import base64
import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from moto.iam.models import get_account_id_from, iam_backends

from mlp_sandbox.emulator.authorization.callers import TEMPORARY, session_of
from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.principals import ADMINISTRATOR, ADMINISTRATOR_SECRETS, administrator_arn

PREFIX = "k8s-aws-v1."
LIFETIME = timedelta(minutes=15)
"""Lifetime of a token, counted from its signing. The URL itself may not be presigned for longer."""
_CLOCK_SKEW = timedelta(minutes=5)
_CLUSTER_HEADER = "x-k8s-aws-id"
_STS_HOST = re.compile(r"sts(-fips)?(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?|sts\.[a-z0-9-]+\.api\.aws")
_OWN_RANGES = tuple(ipaddress.ip_network(text) for text in ("127.0.0.0/8", "::1/128", "198.18.0.0/15"))
"""Addresses of the emulator: the loopback, and the uplinks of clusters."""
_SCOPE = re.compile(r"(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/sts/aws4_request")
_PARAMETERS = frozenset(
    {"action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-security-token"}
    | {"x-amz-signature", "x-amz-signedheaders"}
)


class TokenError(Exception):
    """The token is not valid; the message gives the reason."""


@dataclass(frozen=True, kw_only=True)
class Presenter:
    """The presenter of a token: the principal that an access entry names, and its current identity."""

    principal: str
    arn: str
    account: str
    user_id: str
    session_name: str
    access_key: str


def presenter_of(token: str, cluster_name: str, moment: datetime) -> Presenter:
    """Return the principal that signed a token.

    Args:
        token: The token, with its prefix `k8s-aws-v1.`.
        cluster_name: The cluster that the token must be signed for.
        moment: The current time.

    Raises:
        TokenError: Nobody signed this token for this cluster within the last 15 minutes.
    """
    if not token.startswith(PREFIX):
        raise TokenError(f"the token does not begin with {PREFIX}")
    try:
        encoded = token.removeprefix(PREFIX)
        url = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode("ascii")
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise TokenError(f"the token holds no URL: {error}") from None
    query = {name.lower(): value for name, value in pairs}
    if len(query) != len(pairs) or query.keys() - _PARAMETERS:
        raise TokenError(f"the URL in the token has parameters it should not have: {', '.join(sorted(query))}")
    _check_place(parts.scheme, parts.hostname or "", parts.path, query)
    _check_time(query, moment)
    if _CLUSTER_HEADER not in query.get("x-amz-signedheaders", "").split(";"):
        raise TokenError(f"the header {_CLUSTER_HEADER} is not signed")
    scope = _SCOPE.fullmatch(query.get("x-amz-credential", ""))
    if scope is None:
        raise TokenError("the URL in the token is not signed for STS")
    presenter, secret = _caller(scope["key"], query, moment)
    if secret is not None and not hmac.compare_digest(
        _signature(pairs, parts.netloc, parts.path, cluster_name, scope, secret), query.get("x-amz-signature", "")
    ):
        raise TokenError(
            f"the signature does not match: wrong secret key, or made for a cluster other than {cluster_name}"
        )
    return presenter


def _check_place(scheme: str, host: str, path: str, query: dict[str, str]) -> None:
    if scheme not in {"http", "https"} or path not in {"", "/"}:
        raise TokenError(f"the URL in the token leads elsewhere than to STS: {scheme}://{host}{path}")
    if query.get("action") != "GetCallerIdentity":
        raise TokenError(f"the URL in the token asks for {query.get('action')}, not GetCallerIdentity")
    if host == "localhost" or _STS_HOST.fullmatch(host):
        return
    try:
        own = any(ipaddress.ip_address(host) in network for network in _OWN_RANGES)
    except ValueError:
        own = False
    if not own:
        raise TokenError(f"the URL in the token leads to {host}, which is no STS endpoint")


def _check_time(query: dict[str, str], moment: datetime) -> None:
    expires, signed = query.get("x-amz-expires", ""), query.get("x-amz-date", "")
    if not expires.isdigit() or int(expires) > LIFETIME.total_seconds():
        raise TokenError(f"X-Amz-Expires is {expires or 'missing'}: at most {LIFETIME.total_seconds():.0f} seconds")
    try:
        made = datetime.strptime(signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise TokenError(f"X-Amz-Date is not a date: {signed!r}") from None
    if made + LIFETIME < moment:
        raise TokenError(f"token is expired: signed at {signed}, good for {LIFETIME.total_seconds() / 60:.0f} minutes")
    if made - _CLOCK_SKEW > moment:
        raise TokenError(f"X-Amz-Date {signed} lies in the future")


def _caller(key: str, query: dict[str, str], moment: datetime) -> tuple[Presenter, str | None]:
    """Return the caller and the secret key it must have signed with; None as secret when any secret is accepted."""
    account = str(get_account_id_from(key))
    session = session_of(account, key)
    if session is not None:
        expiration = session.expiration if session.expiration.tzinfo else session.expiration.replace(tzinfo=UTC)
        if expiration <= moment:
            raise TokenError("token is expired: the credentials that signed it are")
        if query.get("x-amz-security-token") != session.session_token:
            raise TokenError("the session token does not belong to the access key")
        role: Any = role_by_arn(session.role_arn)
        if role is None:
            raise TokenError(f"the role {session.role_arn} no longer exists")
        presenter = Presenter(
            principal=session.role_arn,
            arn=session.arn,
            account=session.account_id,
            user_id=role.id,
            session_name=session.session_name,
            access_key=key,
        )
        return presenter, str(session.secret_access_key)
    backend: Any = iam_backends[account]["aws"]
    found = backend.access_keys.get(key)
    if found is not None and found.user_name in backend.users:
        user = backend.users[found.user_name]
        if found.status != "Active":
            raise TokenError(f"the access key {key} is not active")
        own = Presenter(
            principal=user.arn, arn=user.arn, account=account, user_id=user.id, session_name="", access_key=key
        )
        return own, str(found.secret_access_key)
    if key.startswith(TEMPORARY):
        raise TokenError(f"the access key {key} is not known")
    arn = administrator_arn(account)
    own = Presenter(principal=arn, arn=arn, account=account, user_id=ADMINISTRATOR, session_name="", access_key=key)
    return own, ADMINISTRATOR_SECRETS.get(key)


def _signature(
    pairs: list[tuple[str, str]], host: str, path: str, cluster: str, scope: re.Match[str], secret: str
) -> str:
    """Return the signature of the request.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    query = {name: value for name, value in pairs if name.lower() != "x-amz-signature"}
    lowered = {name.lower(): value for name, value in query.items()}
    values = {"host": host, _CLUSTER_HEADER: cluster}
    names = lowered["x-amz-signedheaders"]
    headers = "".join(f"{name}:{values.get(name, '')}\n" for name in names.split(";"))
    arguments = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in sorted(query.items()))
    canonical = "\n".join(("GET", path or "/", arguments, headers, names, hashlib.sha256(b"").hexdigest()))
    place = f"{scope['day']}/{scope['region']}/sts/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", lowered["x-amz-date"], place, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in place.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

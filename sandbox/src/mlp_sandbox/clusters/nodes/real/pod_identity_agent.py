"""Pod Identity agent of a node: it provides the credentials of the role of a pod's service account.

A pod's AWS SDK sends its service-account token to 169.254.170.23, an address that the cluster configures in every pod.
The agent exchanges the token for credentials with EKS Auth's AssumeRoleForPodIdentity. It caches nothing, so that every
request gets new credentials. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mlp_sandbox.clusters.nodes.real.network import POD_IDENTITY_ADDRESS
from mlp_sandbox.environment import ACCESS_KEY

PATH = "/v1/credentials"
PORT = 80
_LONGEST_TOKEN = 16 * 1024

Exchange = Callable[[str], Mapping[str, Any]]
"""Function that maps a token to the response of AssumeRoleForPodIdentity. Raises ClientError or BotoCoreError."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: Mapping[str, str]


def answer(path: str, token: str | None, exchange: Exchange) -> Answer:
    """Return the response to a request, in the container credentials format of the SDKs.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    """
    if path.partition("?")[0] != PATH:
        return _refusal(404, "NotFound", f"there is nothing at {path[:100]!r}; ask for {PATH}")
    if not token:
        return _refusal(400, "MissingAuthorization", "no service-account token in the Authorization header")
    if len(token) > _LONGEST_TOKEN:
        return _refusal(400, "InvalidToken", f"the Authorization header is longer than {_LONGEST_TOKEN} characters")
    try:
        found = exchange(token)
    except ClientError as error:
        details = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        code, message = details.get("Code", "Unknown"), details.get("Message", str(error))
        return _refusal(status, code, f"Error fetching credentials: {message}")
    except BotoCoreError as error:
        return _refusal(503, "ServiceUnavailable", f"Error fetching credentials: {error}")
    credentials = found["credentials"]
    expires: datetime = credentials["expiration"]
    body = {
        "AccessKeyId": credentials["accessKeyId"],
        "SecretAccessKey": credentials["secretAccessKey"],
        "Token": credentials["sessionToken"],
        "AccountId": found["podIdentityAssociation"]["associationArn"].split(":")[4],
        "Expiration": expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Answer(status=200, body=body)


def exchange_at(cluster: str, region: str, endpoint: str) -> Exchange:
    """Return an exchange that uses the emulated EKS Auth API.

    The token identifies the caller; the signature of the request only routes it.
    """
    client = boto3.client(
        "eks-auth",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=ACCESS_KEY,
        config=Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 2}),
    )
    return lambda token: client.assume_role_for_pod_identity(clusterName=cluster, token=token)


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def server_bind(self) -> None:
        # HTTPServer's method would look up the address's name, which takes long if no name server answers.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = POD_IDENTITY_ADDRESS, PORT


def server(address: tuple[str, int], exchange: Exchange) -> ThreadingHTTPServer:
    """Return a server that is bound to the address, but does not serve yet."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            found = answer(self.path, self.headers.get("Authorization"), exchange)
            body = json.dumps(dict(found.body)).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if found.status != 200:
                self.log_error("%s %s: %s", found.status, found.body["code"], found.body["message"])

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Log nothing: only errors are logged, and never a token or a key."""

    return Server(address, Handler)


def _refusal(status: int, code: str, message: str) -> Answer:
    return Answer(status=status, body={"code": code, "message": message})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name in ("--cluster", "--region", "--endpoint"):
        parser.add_argument(name, required=True)
    told = parser.parse_args()
    sys.stderr.write(f"answers on {POD_IDENTITY_ADDRESS}:{PORT} for cluster {told.cluster}\n")
    exchange = exchange_at(told.cluster, told.region, told.endpoint)
    server((POD_IDENTITY_ADDRESS, PORT), exchange).serve_forever()


if __name__ == "__main__":
    main()

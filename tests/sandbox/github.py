"""Tokens as GitHub Actions gets them for a job. The emulator reads their claims and verifies no signature."""

import base64
import json
import time
from typing import Any

ISSUER = "token.actions.githubusercontent.com"


def token(**claims: Any) -> str:
    """A token for STS that is good for five minutes; `sub` says which job it is of."""
    known = {"iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com", "exp": int(time.time()) + 300}
    return f"{_part({'alg': 'none'})}.{_part({**known, **claims})}.c2ln"


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

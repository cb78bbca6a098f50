"""The emulator's own pages under `/_mlp/`: the health page reports whether the account is ready."""

import json
import os

from mlp_sandbox.emulator.account import Account
from mlp_sandbox.emulator.messages import Reply, Request

PREFIX = "/_mlp/"


def answer(account: Account, request: Request, *, settled: bool, name: str) -> Reply:
    """Answer a request below `/_mlp/`. This never waits for the account's lock."""
    if request.path != PREFIX + "health":
        return _json(404, {"error": f"no such page: {request.path}; there is {PREFIX}health"})
    if request.method not in {"GET", "HEAD"}:
        return _json(405, {"error": f"{request.path} answers GET only, not {request.method}"})
    common = {"name": name, "pid": os.getpid()}
    if not account.ready:
        return _json(503, {"status": "replaying", "done": account.replayed, "total": account.to_replay, **common})
    if not settled:
        return _json(503, {"status": "reconciling", "done": account.replayed, "total": account.to_replay, **common})
    return _json(200, {"status": "ready", "replayed": account.replayed, "written": account.writes, **common})


def _json(status: int, content: dict[str, object]) -> Reply:
    return Reply(status=status, headers=(("Content-Type", "application/json"),), body=json.dumps(content).encode())

"""Search for the escalations that a principal can reach, directly or through roles whose policies it may write."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mlp.recording import ACCOUNT
from mlp_sandbox.emulator.authorization.conditions import lookup_in
from mlp_sandbox.emulator.authorization.documents import Access, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller, evaluate
from tests.environments.rules.escalation.moves import BOUNDED, MOVES, UNBOUNDED, Move
from tests.environments.rules.escalation.world import Principal, Thing, World

EVERYTHING = parse(
    json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
)


@dataclass(frozen=True, order=True)
class Way:
    """One escalation path; `by` is the principal, or a role whose policies it can rewrite."""

    by: str
    action: str
    on: str
    wins: str


def ways(world: World, principal: Principal) -> set[Way]:
    """Return all escalations of a principal; the platform promises that there are none."""
    found = set(_direct(world, principal))
    for role in _written_by(world, principal):
        found |= {replace(way, by=f"{principal.name} by way of any role") for way in _direct(world, role)}
    return found


def may(world: World, principal: Principal, action: str, thing: Thing, given: Mapping[str, str]) -> bool:
    """Return whether IAM allows the action.

    The request tags belong to the context, because the caller of a real request chooses them too.
    """
    environment = {
        f"aws:requesttag/{key}": value for key, value in (("project", "ml-platform"), ("environment", world.stack))
    }
    context = {
        "aws:principalarn": principal.arn,
        "aws:principalaccount": ACCOUNT,
        "aws:requestedregion": "us-east-1",
        "aws:securetransport": "true",
        **environment,
        **thing.facts,
        **given,
    }
    caller = Caller(
        kind="session",
        arn=principal.arn,
        account=ACCOUNT,
        role_arn=principal.arn,
        identity=principal.policies,
        boundary=None if principal.boundary is None else (principal.boundary,),
    )
    keys = {key: [value] for key, value in context.items()}
    return evaluate(caller, Access(action=action, resource=thing.arn), lookup_in(keys)).allowed


def _direct(world: World, principal: Principal) -> Iterator[Way]:
    for move in MOVES:
        if principal.name in move.job_of or (move.only_for and principal.name not in move.only_for):
            continue
        for thing in _things(world, principal, move):
            for action in move.actions:
                if may(world, principal, action, thing, move.given):
                    yield Way(principal.name, action, thing.what or thing.arn, move.wins)


def _things(world: World, principal: Principal, move: Move) -> Sequence[Thing]:
    found: list[Thing] = []
    for kind in move.on:
        if kind in (BOUNDED, UNBOUNDED):
            others = (each for each in world.principals.values() if each.name != principal.name)
            found += [_role(world, each) for each in others if each.bounded == (kind == BOUNDED)]
        elif kind.startswith("arn:"):
            found.append(Thing(kind, kind))
        else:
            found += world.things[kind]
    return [replace(each, arn=each.arn + move.suffix) for each in found]


def _role(world: World, role: Principal) -> Thing:
    boundary = {"iam:permissionsboundary": world.boundary_arn} if role.bounded else {}
    return Thing(role.arn, f"role {role.name}", boundary)


def _written_by(world: World, principal: Principal) -> Iterator[Principal]:
    """Yield the roles whose policies the principal may rewrite: only their boundary remains.

    One role stands for each boundary.
    """
    seen: list[object] = []
    for role in world.principals.values():
        if role.boundary in seen or not role.bounded or role.name == principal.name:
            continue
        if may(world, principal, "iam:PutRolePolicy", _role(world, role), {}):
            seen.append(role.boundary)
            yield replace(role, name="any role", policies=(EVERYTHING,))

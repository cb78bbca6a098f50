"""`mlp doctor --env`: check an environment's versions against AWS support, and its nodes against account quotas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Column, Table

from mlp.console import PlainError, console
from mlp.environments import STACKS

if TYPE_CHECKING:
    from mlp.doctor.quotas import Checked


def look_at(environment: str, *, as_json: bool) -> bool:
    """Print the result of the checks; return whether a deployment is possible."""
    from mlp.bootstrap.command import read_settings
    from mlp.doctor.quotas import check_quotas
    from stacks.support import notices, today

    settings = read_settings(environment, STACKS)
    client, why = _client(environment)
    quotas = check_quotas(settings, client)
    day = today()
    versions = list(notices(settings, day))
    if as_json:
        said = [{"level": each.level, "field": each.field, "text": each.text} for each in versions]
        document = {"environment": environment, "day": day.isoformat(), "versions": said}
        print(json.dumps({**document, "quotas": [_document(each) for each in quotas]}, indent=2))
    else:
        console.print(f"Versions on {day}: {'as follows' if versions else 'AWS supports them for more than 60 days'}")
        for each in versions:
            console.print(f"{each.level}: {each}", **_PLAIN)
        _show(quotas, why)
    return not any(each.stops for each in quotas) and not any(each.level == "error" for each in versions)


def _client(environment: str) -> tuple[Any, str]:
    """Return boto3's client for the caller's account and the caller, or None and the reason why there is no client."""
    from mlp.projects.aws_access import AwsAccess
    from mlp.projects.environment import find_environment

    try:
        aws = AwsAccess(find_environment(environment))
        return aws.client("service-quotas"), f"as {aws.caller}"
    except PlainError as error:
        return None, str(error)


def _document(checked: Checked) -> dict[str, Any]:
    need = checked.need
    return {
        "code": need.quota.code,
        "name": need.quota.name,
        "at_minimum": need.minimum,
        "at_maximum": need.maximum,
        "granted": checked.granted,
        "problem": checked.problem,
    }


def _show(quotas: Sequence[Checked], why: str) -> None:
    console.print(f"Quotas of running instances, in virtual processors; the account: {why}", **_PLAIN)
    table = Table(Column("Quota", overflow="fold"), "Code", "At min_size", "At max_size", "The account has")
    for each in quotas:
        need = each.need
        has = "unknown" if each.granted is None else f"{each.granted:g}"
        table.add_row(need.quota.name, need.quota.code, str(need.minimum), str(need.maximum), has)
    console.print(table)
    for each in quotas:
        if each.problem and each.problem != "not asked":
            word = "error" if each.stops else "warning"
            console.print(f"{word}: {each.problem}", **_PLAIN)


_PLAIN: Any = {"highlight": False, "markup": False, "soft_wrap": True}

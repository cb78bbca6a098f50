"""Annotation `pulumi.com/waitFor`: `jsonpath={.status.phase}=Running`, `condition=Ready=true`, or a list of them.

The syntax is that of `kubectl wait --for`: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_wait/
"""

from __future__ import annotations

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse

from mlp_sandbox.providers.kubernetes.kinds import Object
from mlp_sandbox.providers.kubernetes.readiness.judgement import READY, Judgement, condition, failed, said_by, waiting


def judge_custom(obj: Object, expressions: list[str]) -> Judgement:
    for expression in expressions:
        judged = _judge(obj, expression)
        if judged.state != "ready":
            return judged
    return READY


def _judge(obj: Object, expression: str) -> Judgement:
    how, _, what = expression.partition("=")
    if how == "condition":
        name, _, wanted = what.partition("=")
        found = condition(obj, name)
        if str(found.get("status", "")).lower() == (wanted or "true").lower():
            return READY
        return waiting(f"condition {name} is {found.get('status') or 'not there'} {said_by(found)}".rstrip())
    place, wanted = _split(what)
    try:
        found = [match.value for match in parse(f"${place}").find(obj)]
    except (JSONPathError, ValueError) as error:
        return failed(f"annotation pulumi.com/waitFor: '{expression}' is not a JSONPath: {error}")
    if wanted is None:
        return READY if found else waiting(f"{place} is not there yet")
    values = [str(value).lower() if isinstance(value, bool) else str(value) for value in found]
    return READY if values == [wanted] else waiting(f"{place} is {', '.join(values) or 'not there'}, not {wanted}")


def _split(text: str) -> tuple[str, str | None]:
    """Return path and value of `{.status.phase}=Running`; the braces are optional."""
    if text.startswith("{"):
        place, _, rest = text[1:].partition("}")
    else:
        place, equals, rest = text.partition("=")
        rest = equals + rest
    place = place if place.startswith(".") else f".{place}"
    return place, rest[1:].strip("'\"") if rest.startswith("=") else None

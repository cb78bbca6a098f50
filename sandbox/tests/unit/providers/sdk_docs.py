"""Statements of the official SDK's docstrings about the inputs of a type."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from typing import Any

import pulumi_aws

PARAM = re.compile(r"^:param [^\n]*? (\w+): (.*?)(?=^:param |\Z)", re.DOTALL | re.MULTILINE)
REPLACES = re.compile(
    r"forc(?:es|e|ing) (?:a )?(?:new resource|replacement|resource recreation)|(?:can't|cannot|can never) be changed",
    re.IGNORECASE,
)


@cache
def documented(token: str) -> dict[str, str]:
    """Return the documentation of each input, by its Pulumi name."""
    module, name = token.split(":")[1].split("/")[0], token.split(":")[2]
    resource: Any = getattr(getattr(pulumi_aws, module), name)
    tree = ast.parse(inspect.getsource(resource))
    makers = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    text = next(text for node in makers if (text := ast.get_docstring(node)) and ":param " in text)
    wire = {
        snake: getter.fget.__dict__.get("_pulumi_name", snake)
        for snake, getter in inspect.getmembers(resource, lambda member: isinstance(member, property))
    }
    found = {match[1]: " ".join(match[2].split()) for match in PARAM.finditer(text)}
    return {wire[name]: said for name, said in found.items() if name not in ("resource_name", "opts")}


def said_to_replace(token: str) -> set[str]:
    """Return the inputs whose documentation says that a change replaces the resource."""
    return {name for name, said in documented(token).items() if REPLACES.search(said)}

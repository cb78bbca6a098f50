"""YAML loader for project files: merge keys work, and texts that YAML would silently change are rejected.

PyYAML reads YAML 1.1. https://yaml.org/type/merge.html, https://yaml.org/type/int.html
Numbers such as 1e-3, which are text in YAML 1.1, are read as in YAML 1.2.
https://yaml.org/spec/1.2.2/#1032-tag-resolution
"""

import re
from collections.abc import Callable, Hashable
from typing import Any, Final, cast

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.scanner import ScannerError

_MERGE, _INT, _FLOAT, _VALUE = (f"tag:yaml.org,2002:{name}" for name in ("merge", "int", "float", "value"))
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+\Z")
MOST_VALUES: Final = 10_000
# Characters that have a special meaning in YAML at the beginning of a value.
_MARKS = "* & ! % @ ` { [ | >"


class YamlError(ValueError):
    """The text is not YAML, or YAML would read it differently from what it looks like. The message names the place."""


def read_yaml(text: str) -> object:
    """Parse the text and return its content as plain data.

    Raises:
        YamlError: the text is not YAML, YAML would change a value without notice, or its anchors expand without end.
    """
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that refuses more
    except ScannerError as error:
        if (mark := error.problem_mark) is not None and text[mark.index : mark.index + 1] == "\t":
            raise YamlError(
                f"line {mark.line + 1}, column {mark.column + 1}: got a tab; indent with spaces, and write spaces "
                "between name and value"
            ) from None
        raise YamlError(
            f"{_plain(error)}; put text that begins with {_MARKS}, or that holds ': ', into quotes"
        ) from None
    except yaml.YAMLError as error:
        raise YamlError(_plain(error)) from None
    except ValueError as error:  # a date such as 2026-02-30
        raise YamlError(f"{error}; put it into quotes if it is text") from None
    if _is_endless(content):
        raise YamlError(f"an anchor holds itself, or anchors make it larger than {MOST_VALUES:,} values; write less")
    return content


def _is_endless(content: object) -> bool:
    """Return whether the content, with every alias expanded, is larger than a project's file can be."""
    waiting, seen = [content], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > MOST_VALUES:
            return True
        if isinstance(value, dict):
            waiting.extend(cast("dict[object, object]", value).values())
        elif isinstance(value, list):
            waiting.extend(cast("list[object]", value))
    return False


def _plain(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._seen: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put the pairs of `<<` before the node's own ones, which override them.

        Keys are compared before the first merge: a key that a merge brings in may be repeated, a key of the mapping
        itself may not. Overridden pairs are dropped, so that merges of merges stay small.
        """
        if id(node) not in self._seen:
            self._seen.add(id(node))
            self._refuse_repetitions(node)
        super().flatten_mapping(node)
        pairs = {_identity(key): (key, value) for key, value in node.value}
        node.value = list(pairs.values())

    def _refuse_repetitions(self, node: yaml.MappingNode) -> None:
        """Reject equal keys. YAML silently keeps the last of two equal keys; here that is a mistake in the file."""
        construct = cast("Callable[..., object]", self.construct_object)
        seen: set[object] = set()
        for key_node, _ in node.value:
            key: object = "<<" if key_node.tag == _MERGE else construct(key_node, deep=True)
            if not isinstance(key, Hashable):
                return  # the loader itself rejects this key, with its place
            if key in seen:
                fix = "; write one, with a list: <<: [*one, *other]" if key_node.tag == _MERGE else ""
                raise ConstructorError(None, None, f"{key!r} stands here twice{fix}", key_node.start_mark)
            seen.add(key)

    def number(self, node: yaml.ScalarNode) -> Any:
        """Reject numbers to a base other than ten that look like a time of day or like a number with leading zeros."""
        text = str(node.value)
        made = SafeConstructor.construct_yaml_int if node.tag == _INT else SafeConstructor.construct_yaml_float
        number: Any = made(self, node)
        if ":" in text or _OCTAL.fullmatch(text):
            fix = f"YAML reads it as {number}; put it into quotes, or write {number} if that is meant"
            raise ConstructorError(None, None, f"{text!r} stands here, and {fix}", node.start_mark)
        return number

    def equals_sign(self, node: yaml.ScalarNode) -> str:
        """Return a text of one equals sign as text. YAML 1.1 has a type of its own for it, which nobody uses."""
        return str(node.value)


def _identity(key: yaml.Node) -> object:
    return (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)


for _tag in (_INT, _FLOAT):
    _Loader.add_constructor(_tag, _Loader.number)
_Loader.add_constructor(_VALUE, _Loader.equals_sign)
cast("Any", _Loader).add_implicit_resolver(_FLOAT, _EXPONENT, list("-+.0123456789"))

"""Quantities of CPU and memory in Kubernetes notation, and their values.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, cast

from kubernetes.utils import quantity as kubernetes_quantity
from pydantic import AfterValidator, WithJsonSchema

from validation.base import Allowed

_parse_quantity = cast("Callable[[str], Decimal]", kubernetes_quantity.parse_quantity)
_CPU = re.compile(r"[1-9]\d*m|[1-9]\d*(\.\d{1,3})?|0\.\d{1,3}")
_MEMORY = re.compile(r"[1-9]\d*(Mi|Gi|Ti)")
# Units that people write for mebibytes and so on. Kubernetes reads `m` as thousandths of a byte.
_MEANT = {"mb": "Mi", "mib": "Mi", "m": "Mi", "gb": "Gi", "gib": "Gi", "g": "Gi", "tb": "Ti", "tib": "Ti", "t": "Ti"}


def cores(text: str) -> Decimal:
    """Return a quantity of CPU in cores."""
    return _parse_quantity(text)


def mebibytes(text: str) -> int:
    """Return a quantity of memory in MiB, rounded down."""
    return int(_parse_quantity(text) / 2**20)


def _cpu(text: str) -> str:
    if not _CPU.fullmatch(text) or not cores(text):
        raise ValueError('write cores, such as "2" or "0.5", or thousandths of one, such as "500m"')
    return text


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        number, unit = re.fullmatch(r"(\d*)\s*(.*)", text, re.DOTALL).groups()  # pyright: ignore[reportOptionalMemberAccess]
        meant = _MEANT.get(unit.lower())
        raise ValueError(f'write "{number}{meant}"' if number and meant else 'write Mi, Gi or Ti, such as "512Mi"')
    return text


Cpu = Annotated[
    str,
    AfterValidator(_cpu),
    Allowed('cores, such as `"2"` or `500m`'),
    WithJsonSchema({"type": "string", "pattern": f"^({_CPU.pattern})$"}),
]
Memory = Annotated[
    str,
    AfterValidator(_memory),
    Allowed("amount with `Mi`, `Gi` or `Ti`"),
    WithJsonSchema({"type": "string", "pattern": f"^{_MEMORY.pattern}$"}),
]

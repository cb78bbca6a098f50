"""Builds the pandera schema of a project's contract, and reports mistakes of the contract itself."""

from __future__ import annotations

import re
from typing import Any, cast

import pandera.pandas as pa

from ml_workloads.runtime.errors import ProjectError

Contract = pa.DataFrameSchema | type[pa.DataFrameModel]


class ContractError(ProjectError):
    """The data breaks its contract, or the contract is wrong. The message names columns, demands, rows and values."""


def is_contract(contract: object) -> bool:
    """Return whether an object is a pandera schema of a pandas table, or a model class for one."""
    if isinstance(contract, type):
        return issubclass(contract, pa.DataFrameModel)
    return isinstance(contract, pa.DataFrameSchema)


def check_contract(contract: Any) -> None:
    """Raise ContractError if an object is no pandera schema of a pandas table."""
    if is_contract(contract):
        return
    kind = f"the class {contract.__name__}" if isinstance(contract, type) else f"a {type(contract).__name__}"
    raise ContractError(
        f"data.contract names {kind}; name a pandera.pandas DataFrameSchema, or a class that extends DataFrameModel"
    )


def schema_of(contract: Any) -> pa.DataFrameSchema:
    """Return the schema of a contract, after checking that the name of each regex column is a valid regular expression.

    Raises:
        ContractError: it is no contract, or pandera cannot build a schema of it.
    """
    check_contract(contract)
    try:
        schema = contract if isinstance(contract, pa.DataFrameSchema) else contract.to_schema()
        for name, column in schema.columns.items():
            if column.regex:
                _compile(name)
    except ContractError:
        raise
    except Exception as error:
        raise wrong(error) from None
    return schema


def wrong(error: Exception) -> ContractError:
    """Return the error for an exception that pandera, or the contract's own code, raises before it sees data."""
    return ContractError(f"the contract itself is wrong: {type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _compile(name: Any) -> None:
    parts = cast("tuple[Any, ...]", name if isinstance(name, tuple) else (name,))
    for part in parts:
        try:
            re.compile(str(part))
        except re.error as error:
            raise ContractError(
                f"the contract itself is wrong: the name of Column({str(part)[:100]!r}, regex=True) is no regular "
                f"expression ({error})"
            ) from None

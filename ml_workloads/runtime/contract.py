"""Validates data against its contract, a pandera schema, before a model is trained on it.

https://pandera.readthedocs.io/en/stable/lazy_validation.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pandas as pd
import pandera.errors

from ml_workloads.runtime.contract_changes import demand_unchanged
from ml_workloads.runtime.data.hints import words_beside_numbers
from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.schemas import Contract, ContractError, check_contract, schema_of, wrong

__all__ = ["Contract", "ContractError", "check", "check_contract", "schema_of"]

MAX_ROWS = 5


def check(frame: pd.DataFrame, contract: Contract, target: str | None = None) -> pd.DataFrame:
    """Return the validated data, with types coerced where the contract declares it.

    Args:
        frame: The data as it was read.
        contract: A schema, or a class for one.
        target: The column that no request carries. If given, the contract must not change the values of other columns.

    Raises:
        ContractError: the data breaks the contract, and the message lists all problems at once; or the contract itself
            is wrong, or changes values.
    """
    schema = schema_of(contract)
    try:
        checked: Any = schema.validate(frame, lazy=True)
    except (pandera.errors.SchemaInitError, pandera.errors.SchemaDefinitionError) as error:
        raise wrong(error) from None
    except pandera.errors.SchemaErrors as error:
        problems = list(_problems(cast("Any", error).failure_cases, frame))
        heading = f"the data breaks its contract in {len(problems)} way{'s' if len(problems) > 1 else ''}"
        raise ContractError("\n".join([heading, *(f"  {problem}" for problem in problems)])) from None
    except (ProjectError, MemoryError):
        raise
    except Exception as error:
        raise ContractError(
            f"the contract itself fails on the data ({type(error).__name__}: {' '.join(str(error).split())[:300]}); "
            "a check must return truth values, and a parser the table or column that it changed"
        ) from None
    if not isinstance(checked, pd.DataFrame):
        raise ContractError(f"the contract returns a {type(checked).__name__} instead of a table; look at its parsers")
    if target is not None:
        demand_unchanged(frame, checked, schema, target)
    return checked


def _problems(cases: Any, frame: pd.DataFrame) -> Iterator[str]:
    # pandera reports a missing column as a failure of the whole table, with an empty column name.
    columns, demands = (
        cases["column"].astype(object).where(cases["column"].notna(), None),
        cases["check"].map(_demanded),
    )
    for column, demanded in dict.fromkeys(zip(columns, demands, strict=True)):
        same = columns.isna() if column is None else columns == column
        hint = words_beside_numbers(frame, column) if "dtype" in demanded else ""
        yield _problem(column, demanded, cases.loc[same & (demands == demanded)]) + hint


def _demanded(check: object) -> str:
    """Return what a contract demands. pandera names no check if an index has other levels than the contract."""
    return check if isinstance(check, str) else "the index that it declares"


def _problem(column: object, demanded: str, rows: Any) -> str:
    values = [str(value)[:80] for value in rows["failure_case"].head(MAX_ROWS)]
    if demanded == "column_in_dataframe":
        return f"column {', '.join(values)}: missing"
    if demanded == "column_in_schema":
        return f"column {', '.join(values)}: not in the contract"
    demanded = demanded[:200]
    where = "the table" if column is None else f"column {column}"
    if bool(rows["index"].isna().all()):
        return f"{where}: got {', '.join(values)}; the contract demands {demanded}"
    numbers = ", ".join(f"{index} ({value})" for index, value in zip(rows["index"].head(MAX_ROWS), values, strict=True))
    more = len(rows) - len(values)
    return f"{where}: the contract demands {demanded}; row {numbers}{f' and {more} more' if more else ''}"

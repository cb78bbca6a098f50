"""Budget of the environment.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
"""

from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from validation.base import Allowed, Section


def ascending(percents: tuple[int, ...]) -> tuple[int, ...]:
    if list(percents) != sorted(set(percents)):
        raise ValueError(f"write each percentage once, in order: {sorted(set(percents))}")
    return percents


# A budget has at most ten notifications; actual and forecast ones share them.
Percents = Annotated[
    tuple[Annotated[int, Field(ge=1, le=1000), Allowed("percent")], ...], Strict(False), AfterValidator(ascending)
]


class BudgetSpec(Section):
    monthly_limit_usd: int = Field(ge=1, le=10_000_000)
    """Monthly limit in US dollars."""
    thresholds_percent: Percents = Field(default=(50, 80, 100), min_length=1, max_length=5)
    """Percentages of the limit that trigger a report when they are spent."""
    forecast_percent: Percents = Field(default=(100,), max_length=5)
    """Percentages of the limit that trigger a report when they are forecast."""

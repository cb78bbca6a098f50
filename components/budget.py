"""Monthly cost budget of one environment, with warnings before and after the limit is exceeded.

The provider sets the `environment` tag on every resource, and the budget filters costs by it. Somebody must activate
it once as a cost allocation tag in the paying account; until then the budget counts nothing.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.naming import check_prefix, check_range

COST_TAG = "environment"
NOTIFICATIONS_LIMIT = 10


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    prefix: str
    environment: str
    monthly_limit_usd: int
    topic_arn: pulumi.Input[str]
    actual_percents: tuple[int, ...] = (50, 80, 100)
    forecast_percents: tuple[int, ...] = (100,)

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if not self.environment or "$" in self.environment:
            raise ValueError(f"environment must be the value of the `{COST_TAG}` tag, got {self.environment!r}")
        check_range("monthly_limit_usd", self.monthly_limit_usd, 1, 10_000_000, "US dollars")
        for field, percents in (
            ("actual_percents", self.actual_percents),
            ("forecast_percents", self.forecast_percents),
        ):
            if len(set(percents)) != len(percents):
                raise ValueError(f"{field} repeats a threshold: {percents}")
            for percent in percents:
                check_range(field, percent, 1, 1000, "percent")
        count = len(self.actual_percents) + len(self.forecast_percents)
        if not 1 <= count <= NOTIFICATIONS_LIMIT:
            raise ValueError(
                f"actual_percents and forecast_percents hold {count} thresholds, "
                f"a budget takes 1 to {NOTIFICATIONS_LIMIT}"
            )


class Budget(pulumi.ComponentResource):
    budget_name: pulumi.Output[str]

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Budget", name, {}, opts)

        def warning(kind: str, percent: int) -> aws.budgets.BudgetNotificationArgsDict:
            return {
                "comparison_operator": "GREATER_THAN",
                "notification_type": kind,
                "threshold": percent,
                "threshold_type": "PERCENTAGE",
                "subscriber_sns_topic_arns": [args.topic_arn],
            }

        budget = aws.budgets.Budget(
            f"{name}-monthly-cost",
            name=f"{args.prefix}-monthly-cost",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{args.monthly_limit_usd}.0",  # the format in which AWS returns amounts
            limit_unit="USD",
            cost_filters=[{"name": "TagKeyValue", "values": [f"user:{COST_TAG}${args.environment}"]}],
            notifications=[
                *(warning("ACTUAL", percent) for percent in args.actual_percents),
                *(warning("FORECASTED", percent) for percent in args.forecast_percents),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.budget_name = budget.name
        self.register_outputs({"budget_name": self.budget_name})

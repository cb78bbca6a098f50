"""Monthly cost budget of one environment, with warnings before and after the limit is exceeded.

The provider sets the `environment` tag on every resource, and the budget filters costs by it. Somebody must activate
it once as a cost allocation tag in the paying account; until then the budget counts nothing.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.budget.spec import BudgetSpec
from components.naming import check_prefix

COST_TAG = "environment"


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """Arguments of the budget.

    Attributes:
        spec: Section `budget` of the stack file.
        prefix: Start of the names of the environment's resources.
        environment: Value of the tag `environment`, whose costs count.
        topic_arn: SNS topic that gets the warnings.
    """

    spec: BudgetSpec
    prefix: str
    environment: str
    topic_arn: pulumi.Input[str]

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if not self.environment or "$" in self.environment:
            raise ValueError(f"environment must be the value of the `{COST_TAG}` tag, got {self.environment!r}")


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
            limit_amount=f"{args.spec.monthly_limit_usd}.0",  # the format in which AWS returns amounts
            limit_unit="USD",
            cost_filters=[{"name": "TagKeyValue", "values": [f"user:{COST_TAG}${args.environment}"]}],
            notifications=[
                *(warning("ACTUAL", percent) for percent in args.spec.thresholds_percent),
                *(warning("FORECASTED", percent) for percent in args.spec.forecast_percent),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.budget_name = budget.name
        self.register_outputs({})

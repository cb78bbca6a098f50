"""The AWS account that an environment is deployed to, as the components receive it.

Account and partition come from the credentials in use (provider invokes, hence Inputs); the region is a setting.
`role_boundary` is the ARN of the policy that bounds every role which takes no policy of AWS's own.
"""

from dataclasses import dataclass

import pulumi

from components.iam_documents import Scope


@dataclass(frozen=True, kw_only=True)
class Account:
    id: pulumi.Input[str]
    partition: pulumi.Input[str]
    region: str
    role_boundary: pulumi.Input[str] | None = None

    @property
    def scope(self) -> pulumi.Output[Scope]:
        """Plain strings for the pure policy builders, once the provider has told them."""
        return pulumi.Output.all(self.id, self.partition).apply(
            lambda known: Scope(account_id=known[0], partition=known[1], region=self.region)
        )

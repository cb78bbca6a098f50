"""AWS account that an environment is deployed to, as the components receive it.

Account and partition come from the credentials in use (provider invokes, hence Inputs); the region is a setting.
`role_boundary` is the ARN of the permissions boundary. It applies to every role that has no AWS managed policy.
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
        """Return plain strings for the pure policy builders; they resolve once the provider has returned them."""
        return pulumi.Output.all(self.id, self.partition).apply(
            lambda known: Scope(account_id=known[0], partition=known[1], region=self.region)
        )

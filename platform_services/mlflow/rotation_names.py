"""Names of the parts that can be rotated, and of their CronJobs, which the command line looks up."""

from typing import Final

DATABASE, ADMINISTRATOR, ACCOUNTS = "database", "administrator", "accounts"
"""MLflow's login at PostgreSQL; its administrator; the projects' accounts."""

PARTS: Final = (DATABASE, ACCOUNTS, ADMINISTRATOR)
VARIABLE: Final = "PLATFORM_ROTATE"
"""Variable of the pod that rotates accounts: a JSON list of ACCOUNTS and ADMINISTRATOR. The CronJob names both."""


def cronjob(part: str) -> str:
    """Return the name of the CronJob that rotates a part. Accounts and administrator share one."""
    return f"mlflow-rotate-{DATABASE if part == DATABASE else ACCOUNTS}"

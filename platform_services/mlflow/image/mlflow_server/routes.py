"""Which routes of MLflow's API the accounts of this platform may use at all; every other one is the administrator's.

MLflow's own permissions then bound an account to its experiment and its registered model. They are not enough alone:
everybody who is signed in may make experiments anywhere, traces name places that the server reads, and much of what
MLflow serves (gateway, jobs, assistant, traces, prompts) makes it call or run things. What this platform does not use
is not offered. A test holds these lists against MLflow's own table of routes.
"""

from __future__ import annotations

import re
from typing import Final, Literal

Role = Literal["administrator", "promoter", "reader"]
"""Promoters are people and the judge; readers are pods that serve."""

READER_SUFFIX: Final = ".serving"
"""Ends the name of a project's reader. Names of projects have no dot."""

_BASE = re.compile(r"/?(?:(?:ajax-)?api/\d+\.\d+/?)?(?:mlflow/)?")
_CONVERTER = re.compile(r"<\w+:")


def route_of(rule: str) -> str:
    """Return the part of a URL rule of MLflow that is the same in all versions of its API.

    Args:
        rule: such as `/ajax-api/2.0/mlflow/registered-models/rename`, which is `registered-models/rename`.
    """
    return _CONVERTER.sub("<", _BASE.sub("", rule, count=1))


def project_of(user: str) -> str:
    """Return the project that an account is of; of people's own accounts it is no project's name."""
    return user.removesuffix(READER_SUFFIX)


def is_reader(user: str) -> bool:
    return user.endswith(READER_SUFFIX)


def _routes(listed: str) -> frozenset[tuple[str, str]]:
    """Each line is a method and its routes; `/` is the empty route."""
    lines = [line.split() for line in listed.strip().splitlines()]
    return frozenset((method, "" if route == "/" else route) for method, *routes in lines for route in routes)


READS: Final = _routes("""
GET experiments/get experiments/get-by-name experiments/search runs/get artifacts/list
GET metrics/get-history metrics/get-history-bulk metrics/get-history-bulk-interval
GET registered-models/get registered-models/search registered-models/get-latest-versions registered-models/alias
GET model-versions/get model-versions/search model-versions/get-download-uri model-versions/get-artifact
GET logged-models/<model_id> logged-models/<model_id>/artifacts/directories logged-models/<model_id>/artifacts/files
GET get-artifact mlflow-artifacts/artifacts mlflow-artifacts/artifacts/<artifact_path>
GET users/current users/current/permissions server-info health
POST experiments/search experiments/search-datasets runs/search registered-models/get-latest-versions
POST logged-models/search
""")
"""What every account may ask; nothing of it changes anything."""

PAGES: Final = _routes("""
GET / version static-files/<path> build/<filename> graphql ui-telemetry
GET users/get users/list users/permissions/get users/permissions/list users/roles/list
GET roles/get roles/list roles/permissions/list roles/users/list workspaces workspaces/<workspace_name>
GET traces traces/get traces/batchGet traces/<trace_id> traces/<request_id>/info unified-traces
GET traces/<trace_id>/assessments/<assessment_id>
GET scorers/get scorers/list scorers/versions scorers/online-configs issues/<issue_id>
GET datasets/search datasets/<dataset_id> datasets/<dataset_id>/records datasets/<dataset_id>/experiment-ids
GET label-schemas/get label-schemas/get-by-name label-schemas/list
GET review-queues/get review-queues/get-by-name review-queues/items/list review-queues/list
GET gateway/supported-models gateway/supported-providers gateway/secrets/config gateway/endpoints/list
GET prompt-optimization/jobs/search webhooks
POST graphql ui-telemetry traces/search traces/batchGetInfos traces/metrics traces/calculate-filter-correlation
POST datasets/search issues/search prompt-optimization/jobs/search
""")
"""What MLflow's pages ask beside that, for people. It changes nothing either."""

WRITES: Final = _routes("""
POST runs/create runs/update runs/log-metric runs/log-parameter runs/log-batch runs/log-inputs runs/log-model
POST runs/outputs runs/set-tag runs/delete-tag
POST experiments/set-experiment-tag experiments/delete-experiment-tag
POST logged-models logged-models/<model_id>/params
PATCH logged-models/<model_id> logged-models/<model_id>/tags
DELETE logged-models/<model_id>/tags/<tag_key>
PUT mlflow-artifacts/artifacts/<artifact_path>
POST registered-models/create registered-models/alias registered-models/set-tag
PATCH registered-models/update
DELETE registered-models/delete-tag
POST model-versions/create model-versions/set-tag
PATCH model-versions/update
DELETE model-versions/delete-tag
PATCH users/update-password
""")
"""What promoters may do, as far as `refusals` has nothing against what the request says."""


def offered(method: str, route: str, user: str) -> bool:
    """Return whether accounts such as this one, which is not the administrator's, may use a route at all."""
    asked = (method, route)
    return asked in READS or (not is_reader(user) and (asked in PAGES or asked in WRITES))

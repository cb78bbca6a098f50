"""Routes of MLflow's API that the accounts of this platform may use; all others are reserved for the administrator.

MLflow's own permissions then limit an account to its experiment and its registered model. They are not sufficient
alone: every signed-in user may create experiments anywhere, traces name locations that the server reads, and much of
MLflow's API (gateway, jobs, assistant, traces, prompts) makes it call or run things. Routes that this platform does not
use are not offered. A test compares these lists with MLflow's own table of routes.
"""

from __future__ import annotations

import re
from typing import Final, Literal

Role = Literal["administrator", "promoter", "reader"]
"""Promoters are people and the conductors of training runs; readers are pods that serve."""

READER_SUFFIX: Final = ".serving"
"""Suffix of the name of a project's reader. Names of projects have no dot."""

_BASE = re.compile(r"/?(?:(?:ajax-)?api/\d+\.\d+/?)?(?:mlflow/)?")
_CONVERTER = re.compile(r"<\w+:")


def route_of(rule: str) -> str:
    """Return the part of a URL rule of MLflow that is the same in all versions of its API.

    Args:
        rule: such as `/ajax-api/2.0/mlflow/registered-models/rename`, which becomes `registered-models/rename`.
    """
    return _CONVERTER.sub("<", _BASE.sub("", rule, count=1))


def project_of(user: str) -> str:
    """Return the project of an account. For a personal account the result is no project's name."""
    return user.removesuffix(READER_SUFFIX)


def is_reader(user: str) -> bool:
    """Return whether an account is a project's reader."""
    return user.endswith(READER_SUFFIX)


def _routes(listed: str) -> frozenset[tuple[str, str]]:
    """Parse a list of routes. Each line is a method and its routes; `/` is the empty route."""
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
"""Read-only routes for every account."""

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
"""Additional read-only routes that MLflow's web pages use, for people."""

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
"""Routes for promoters, unless `refusals` denies the content of the request."""


def offered(method: str, route: str, user: str) -> bool:
    """Return whether an account other than the administrator may use a route."""
    asked = (method, route)
    return asked in READS or (not is_reader(user) and (asked in PAGES or asked in WRITES))

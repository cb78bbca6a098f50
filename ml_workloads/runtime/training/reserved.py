"""Keeps what the platform records of its run: the project's code can log beside it and not over it.

The methods of `MlflowClient` are what `mlflow`'s own functions, autologging included, go through.
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mlflow import MlflowClient
from mlflow.entities import RunTag
from mlflow.utils.async_logging.run_operations import RunOperations

from ml_workloads.runtime.records import OWN_PARAMETERS, OWN_TAGS

LOG = logging.getLogger(__name__)
_LOG_PARAM: Final[Callable[..., Any]] = MlflowClient.log_param
_LOG_BATCH: Final[Callable[..., Any]] = MlflowClient.log_batch
_SET_TAG: Final[Callable[..., Any]] = MlflowClient.set_tag
_DELETE_TAG: Final[Callable[..., Any]] = MlflowClient.delete_tag
Patch = tuple[Any, str, Callable[..., Any]]


def patches(own_run: Callable[[], str | None]) -> list[Patch]:
    """Return owner, name and new value of the methods that pass over the platform's names in its own run.

    Args:
        own_run: Returns the id of the platform's run, or None while there is none.
    """

    def log_param(self: Any, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        if run_id != own_run() or not _is_own("parameter", key, OWN_PARAMETERS):
            return _LOG_PARAM(self, run_id, key, value, synchronous=synchronous)
        return RunOperations([]) if synchronous is False else value

    def set_tag(self: Any, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        if run_id != own_run() or not _is_own("tag", key, OWN_TAGS):
            return _SET_TAG(self, run_id, key, value, synchronous=synchronous)
        return RunOperations([]) if synchronous is False else None

    def delete_tag(self: Any, run_id: str, key: str) -> None:
        if run_id != own_run() or not _is_own("tag", key, OWN_TAGS):
            _DELETE_TAG(self, run_id, key)

    def log_batch(
        self: Any,
        run_id: str,
        metrics: Sequence[Any] = (),
        params: Sequence[Any] = (),
        tags: Sequence[Any] = (),
        synchronous: bool | None = None,
    ) -> Any:
        if run_id == own_run():
            params = [each for each in params if not _is_own("parameter", each.key, OWN_PARAMETERS)]
            tags = [each for each in tags if not _is_own("tag", each.key, OWN_TAGS)]
        return _LOG_BATCH(self, run_id, metrics, params, tags, synchronous=synchronous)

    new = {"log_param": log_param, "set_tag": set_tag, "delete_tag": delete_tag, "log_batch": log_batch}
    return [(MlflowClient, name, function) for name, function in new.items()]


def write_again(client: MlflowClient, run_id: str, tags: Mapping[str, str]) -> None:
    """Make the platform's tags of a run what they were, since promotions read them.

    Args:
        client: Talks to the store that holds the run.
        run_id: The run.
        tags: All of the platform's that it has; others of the platform's names are deleted.
    """
    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])
    given = client.get_run(run_id).data.tags
    for name in sorted(given.keys() & OWN_TAGS - tags.keys()):
        client.delete_tag(run_id, name)


def _is_own(sort: str, key: str, own: frozenset[str]) -> bool:
    if key in own:
        LOG.warning("the %s %s is passed over: the platform records it itself; log it under another name", sort, key)
    return key in own

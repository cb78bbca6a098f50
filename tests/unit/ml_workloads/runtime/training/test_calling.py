"""Checks of `train` use the signature of the decorated function, not that of the function inside."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest

from ml_workloads.runtime.training.calling import TrainError, check_train


def three(_inputs: Any, _target: Any, depth: int) -> int:
    return depth


async def coroutine(_inputs: Any, _target: Any) -> int:
    return 1


def generator(_inputs: Any, _target: Any) -> Any:
    yield 1


@functools.wraps(three)
def adds_an_argument(inputs: Any, target: Any) -> Any:
    return three(inputs, target, 3)


@functools.wraps(coroutine)
def runs_it(*arguments: Any) -> Any:
    return asyncio.run(coroutine(*arguments))


@functools.wraps(generator)
def drains_it(*arguments: Any) -> Any:
    return list(generator(*arguments))[-1]


def two(_inputs: Any, _target: Any) -> None: ...


@functools.wraps(two)
def takes_one(_inputs: Any) -> None: ...


@pytest.mark.parametrize("train", [adds_an_argument, runs_it, drains_it])
def test_a_decorated_function_is_what_its_wrapper_takes(train: Any):
    check_train(train)


@pytest.mark.parametrize("train", [three, coroutine, generator, takes_one])
def test_a_function_that_cannot_be_called_as_train_is_refused(train: Any):
    with pytest.raises(TrainError):
        check_train(train)

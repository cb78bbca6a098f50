"""The gate passes models that meet the bound and are not worse; it explains a rejection with numbers."""

import math

import pytest

from ml_workloads.runtime.gate import Candidate, Gate, decide

F1 = Gate(metric="f1", bound=0.8, max_regression=0.01)
RMSE = Gate(metric="rmse", bound=2.0)


def candidate(contract: bool = True, signature: bool = True, **metrics: float) -> Candidate:
    return Candidate(metrics=metrics, data_met_contract=contract, has_signature=signature)


@pytest.mark.parametrize(
    ("gate", "value", "incumbent"),
    [
        (F1, 0.8, None),
        (F1, 0.9, 0.9),
        (F1, 0.89, 0.9),
        (F1, 0.9, math.nan),
        (RMSE, 2.0, None),
        (RMSE, 1.5, 1.5 - 1e-12),
        (RMSE, 0.0, 1.0),
    ],
)
def test_what_is_good_enough_and_not_worse_passes(gate: Gate, value: float, incumbent: float | None):
    verdict = decide(
        gate,
        Candidate(metrics={gate.metric: value}, data_met_contract=True, has_signature=True),
        None if incumbent is None else {gate.metric: incumbent},
    )
    assert verdict.reasons == ()
    assert verdict.passed
    assert (verdict.value, verdict.bound) == (value, gate.bound)


@pytest.mark.parametrize(
    ("gate", "wants", "incumbent", "reason"),
    [
        (F1, candidate(f1=0.79), None, "f1 is 0.79, it must be at least 0.8"),
        (RMSE, candidate(rmse=2.5), None, "rmse is 2.5, it must be at most 2"),
        (F1, candidate(f1=0.85), 0.9, "f1 is 0.85, 0.05 worse than 0.9 of the model that is there; 0.01 is allowed"),
        (RMSE, candidate(rmse=1.6), 1.5, "rmse is 1.6, 0.1 worse than 1.5 of the model that is there; 0 is allowed"),
        (F1, candidate(f1=math.nan), 0.9, "its f1 is nan, which is no number to compare"),
        (F1, candidate(accuracy=0.9), None, "it has no f1; measured: accuracy"),
        (F1, candidate(), None, "it has no f1; measured: nothing"),
        (F1, candidate(contract=False, f1=0.9), None, "its data was not held against the contract"),
        (F1, candidate(signature=False, f1=0.9), None, "it has no signature"),
    ],
)
def test_what_is_not_is_refused_with_its_numbers(gate: Gate, wants: Candidate, incumbent: float | None, reason: str):
    verdict = decide(gate, wants, None if incumbent is None else {gate.metric: incumbent})
    assert not verdict.passed
    (told,) = verdict.reasons
    assert reason in told


def test_all_reasons_are_told_at_once():
    verdict = decide(F1, candidate(contract=False, signature=False, f1=0.5), {"f1": 0.9})
    assert len(verdict.reasons) == 4


def test_an_incumbent_that_was_measured_otherwise_is_no_reason():
    assert decide(F1, candidate(f1=0.9), {"accuracy": 0.99}).passed

"""Promotions and rollbacks in a real registry: moves, records, and rejections with their numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from ml_workloads.promotion import Move, PromotionError, carry_out, consider, consider_rollback, roll_back
from ml_workloads.promotion.ladder import replay
from ml_workloads.promotion.moves import read
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.serving.columns import INPUTS, describe
from tests.unit.ml_workloads.promotion.models import FLAVORS, Model

GATE = Gate(metric="f1", bound=0.9, max_regression=0.01)
NOW = datetime(2026, 10, 24, tzinfo=UTC)
JO = "arn:aws:sts::123456789012:assumed-role/team/jo"


def promote(model: Model, target: str, version: str | None = None) -> Move:
    return carry_out(model.registry, consider(model.registry, GATE, target, version), JO, NOW)


def go_back(model: Model) -> Move:
    return roll_back(model.registry, consider_rollback(model.registry, "production"), JO, NOW)


def recorded(model: Model, alias: str = "production") -> tuple[Move, ...]:
    return read(model.registry.standing().tags, alias)


def in_production(model: Model, *versions: str) -> None:
    for version in versions:
        promote(model, "staging", version)
        promote(model, "production")


def test_a_version_climbs_from_training_to_production_and_each_step_is_recorded(model: Model):
    first = model.add(0.95, alias="dev")
    promote(model, "staging")
    move = promote(model, "production")
    assert model.aliases == {"dev": first, "staging": first, "production": first}
    assert recorded(model) == (move,)
    assert (move.version, move.came_from, move.by, move.kind) == (first, None, JO, "promote")
    assert move.gate is not None
    assert (move.gate.value, move.gate.bound, move.gate.incumbent) == (0.95, 0.9, None)


def test_a_description_of_the_inputs_is_enough_of_a_signature(model: Model):
    version = model.add(0.98, alias="dev", signature=None, metadata={INPUTS: describe(pd.DataFrame({"age": [1.0]}))})
    promotion = consider(model.registry, GATE, "staging")
    assert (promotion.version, promotion.allowed) == (version, True)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"f1": 0.89}, "f1 is 0.89, it must be at least 0.9"),
        ({"f1": 0.93}, "f1 is 0.93, 0.05 worse than 0.98 of the model that is there; 0.01 is allowed"),
        ({"f1": None}, "it has no f1"),
        ({"contract": False}, "its data was not held against the contract"),
        ({"signature": None}, "it has no signature"),
        ({"signature": {"inputs": "[]", "outputs": None}}, "it has no signature"),
        ({"signature": {"inputs": '[{"type": "binary", "name": "photo"}]', "outputs": None}}, "it has no signature"),
        ({"signature": {"inputs": "no JSON", "outputs": None}}, "it has no signature"),
        ({"metadata": {INPUTS: {"version": 1, "columns": []}}}, "it has no signature"),
        ({"status": "FAILED"}, "its run is FAILED"),
        (
            {"flavors": {"sklearn": {**FLAVORS["sklearn"], "serialization_format": "cloudpickle"}}},
            "flavors.sklearn.serialization_format is 'cloudpickle', which runs code when it is loaded",
        ),
        (
            {"flavors": {**FLAVORS, "python_function": {"loader_module": "churn.loader", "model_path": "model.skops"}}},
            "flavors.python_function.loader_module is 'churn.loader', it must be mlflow.sklearn",
        ),
        ({"flavors": {}}, "flavors.sklearn is not there"),
    ],
)
def test_a_worse_version_is_refused_with_reasons_and_nothing_moves(model: Model, made: dict[str, Any], reason: str):
    in_production(model, model.add(0.98))
    before, moves = model.aliases, recorded(model, "staging")
    made = {"f1": 0.99, **made}
    model.add(made.pop("f1"), alias="dev", **made)
    promotion = consider(model.registry, GATE, "staging")
    assert not promotion.allowed
    assert promotion.verdict is not None
    assert reason in "\n".join(promotion.verdict.reasons)
    with pytest.raises(PromotionError, match="without a verdict that passed"):
        carry_out(model.registry, promotion, JO, NOW)
    assert {**model.aliases, "dev": "-"} == {**before, "dev": "-"}
    assert recorded(model, "staging") == moves


def test_what_has_the_alias_already_is_not_recorded_again(model: Model):
    in_production(model, model.add())
    promotion = consider(model.registry, GATE, "production")
    assert promotion.already
    assert promotion.allowed
    assert len(recorded(model)) == 1


def test_an_older_version_can_be_asked_for_as_staging_but_not_for_production(model: Model):
    older, newer = model.add(0.95), model.add(0.955, alias="dev")
    promote(model, "staging", older)
    assert model.aliases["staging"] == older
    with pytest.raises(PromotionError, match=f"version {newer} does not have the alias staging"):
        consider(model.registry, GATE, "production", newer)


def test_a_version_that_is_not_there_is_named(model: Model):
    model.add()
    with pytest.raises(PromotionError, match="has no version 99"):
        consider(model.registry, GATE, "staging", "99")


def test_rolling_back_twice_goes_two_back_and_then_there_is_nothing(model: Model):
    versions = [model.add(f1) for f1 in (0.95, 0.96, 0.97)]
    in_production(model, *versions)
    assert [go_back(model).version, go_back(model).version] == [versions[1], versions[0]]
    assert model.aliases["production"] == versions[0]
    with pytest.raises(PromotionError, match="there is nothing to go back to: production names version 1"):
        go_back(model)
    assert [move.kind for move in recorded(model)] == ["promote"] * 3 + ["rollback"] * 2


def test_after_a_rollback_the_next_promotion_goes_on_from_there(model: Model):
    first, second, third = (model.add(f1) for f1 in (0.95, 0.96, 0.97))
    in_production(model, first, second)
    go_back(model)
    in_production(model, third)
    assert replay(recorded(model)) == (first, third)
    assert go_back(model).version == first


def test_a_version_that_was_deleted_is_passed_over_and_said(model: Model):
    first, second, third = (model.add(f1) for f1 in (0.95, 0.96, 0.97))
    in_production(model, first, second, third)
    model.delete(second)
    found = consider_rollback(model.registry, "production")
    assert (found.version, found.notes) == (first, (f"version {second} was deleted",))


def test_a_move_by_hand_is_said_and_a_rollback_goes_to_what_the_record_ends_with(model: Model):
    first, second, third = (model.add(f1) for f1 in (0.95, 0.96, 0.97))
    in_production(model, first, second)
    model.name_it("production", third)
    found = consider_rollback(model.registry, "production")
    assert found.version == second
    assert "somebody moved production by hand" in found.notes[0]
    go_back(model)
    assert go_back(model).version == first


def test_what_was_put_there_by_hand_passes_the_gate_against_the_one_before_or_stays_unrecorded(model: Model):
    good, worse, fine = model.add(0.98), model.add(0.92), model.add(0.985)
    in_production(model, good)
    for alias in ("staging", "production"):
        model.name_it(alias, worse)
    refused = consider(model.registry, GATE, "production")
    assert (refused.already, refused.allowed, refused.compared_with) == (False, False, good)
    for alias in ("staging", "production"):
        model.name_it(alias, fine)
    assert promote(model, "production").version == fine
    assert consider(model.registry, GATE, "production").already
    assert go_back(model).version == good


def test_what_was_there_by_hand_before_any_record_can_be_gone_back_to(model: Model):
    first, second = model.add(0.95), model.add(0.96)
    model.name_it("production", first)
    in_production(model, second)
    assert go_back(model).version == first


def test_nothing_was_ever_in_production(model: Model):
    model.add()
    with pytest.raises(PromotionError, match="no version has production, and the record of moves has no earlier one"):
        consider_rollback(model.registry, "production")


def test_an_incumbent_that_was_measured_otherwise_is_said_and_no_obstacle(model: Model):
    model.name_it("staging", model.add(None))
    model.add(0.95, alias="dev")
    promotion = consider(model.registry, GATE, "staging")
    assert promotion.allowed
    assert promotion.notes == ("version 1 has no f1 to compare with",)


def test_a_move_that_mlflow_refuses_is_not_recorded(model: Model, monkeypatch: pytest.MonkeyPatch):
    in_production(model, model.add(0.95))
    promote(model, "staging", model.add(0.96))
    promotion = consider(model.registry, GATE, "production")

    def refuse(*_: object) -> None:
        raise MlflowException("down")

    with monkeypatch.context() as patch:
        patch.setattr(model.client, "set_registered_model_alias", refuse)
        with pytest.raises(MlflowException):
            carry_out(model.registry, promotion, JO, NOW)
    assert len(recorded(model)) == 1
    assert consider_rollback_or_none(model) is None


def consider_rollback_or_none(model: Model) -> str | None:
    try:
        return consider_rollback(model.registry, "production").version
    except PromotionError:
        return None

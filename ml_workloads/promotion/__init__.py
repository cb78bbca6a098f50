"""Promotion of a trained version until it is served: order of the aliases, quality gate, and record of moves.

The package uses MLflow's registry and knows nothing of Kubernetes or command lines.
"""

from ml_workloads.promotion.ladder import PROMOTED_ALIASES, PromotionError
from ml_workloads.promotion.moves import Move
from ml_workloads.promotion.promotion import Promotion, carry_out, consider
from ml_workloads.promotion.registry import ModelRegistry
from ml_workloads.promotion.rollback import Rollback, consider_rollback, roll_back

__all__ = [
    "PROMOTED_ALIASES",
    "ModelRegistry",
    "Move",
    "Promotion",
    "PromotionError",
    "Rollback",
    "carry_out",
    "consider",
    "consider_rollback",
    "roll_back",
]

"""Retrieval metrics: one value per query, exact, with a stated rule for ties (`msl.metrics.ranked`).

To add one: a file with a function of `Ranked`, its chance level in `chance.py`, a line in `names.py`, a test.
"""

from msl.metrics.average_precision import average_precision_at
from msl.metrics.chance import lift
from msl.metrics.curves import LEVELS, precision_at_recall
from msl.metrics.means import class_means, mean
from msl.metrics.measure import (
    average_precision,
    chance,
    mean_average_precision,
    measure,
    measure_scores,
    precision_recall_curve,
    rank_scores,
)
from msl.metrics.names import known_metrics, metric
from msl.metrics.ndcg import ndcg_at
from msl.metrics.precision import precision_at
from msl.metrics.ranked import Ranked
from msl.metrics.recall import recall_at

__all__ = [
    "LEVELS",
    "Ranked",
    "average_precision",
    "average_precision_at",
    "chance",
    "class_means",
    "known_metrics",
    "lift",
    "mean",
    "mean_average_precision",
    "measure",
    "measure_scores",
    "metric",
    "ndcg_at",
    "precision_at",
    "precision_at_recall",
    "precision_recall_curve",
    "rank_scores",
    "recall_at",
]

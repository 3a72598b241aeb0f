"""Scores as the command line gives them: one form for every verb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segviz.core.metrics import Scores

FOUR = ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou")
TITLES = ("pixel accuracy", "mean accuracy", "mean IoU", "frequency-weighted IoU")


def four(scores: Scores) -> tuple[float, ...]:
    """The four scores in the order of `FOUR`."""
    return tuple(getattr(scores, name) for name in FOUR)


def scored(scores: Scores, classes: Sequence[str]) -> dict[str, Any]:
    """Scores for JSON; `classes` are the names that the indices stand for."""
    return {
        **dict(zip(FOUR, four(scores), strict=True)),
        "per_class": [
            {
                "index": score.index,
                "name": classes[score.index],
                "pixels": score.pixels,
                "accuracy": score.accuracy,
                "iou": score.iou,
            }
            for score in scores.per_class
        ],
    }


def objects(f_score: float | None, separated: float | None) -> str:
    """The F-score of instances, and the share of touching pairs that came out as two, in one line."""
    parts = [] if f_score is None else [f"F-score of objects {f_score:.3f}"]
    if separated is not None:
        parts.append(f"{separated:.1%} of touching pairs apart")
    return ", ".join(parts)

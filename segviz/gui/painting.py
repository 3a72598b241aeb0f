"""What an update or an answer of the engine changes in the Scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segviz.core.cams import CamAnswer
from segviz.core.contributions import ContributionAnswer
from segviz.core.depths import DepthAnswer
from segviz.core.effective import EffectiveField
from segviz.core.filters import FilterAnswer
from segviz.core.measured import MeasuredField
from segviz.core.occlusion import OcclusionAnswer
from segviz.core.races import RaceResult, RaceUpdate
from segviz.core.requests import (
    Badge,
    FeatureMaps,
    Network,
    PartialLabels,
    Prediction,
    Progress,
    Update,
    WindowAnswer,
)
from segviz.core.shifting import ShiftAnswer
from segviz.core.sizes import SizesAnswer
from segviz.core.top_patches import TopAnswer, TopUpdate
from segviz.core.unit_sums import SumAnswer
from segviz.gui import comparing
from segviz.gui.ledger import Ledger
from segviz.gui.scene import Kind, Scene


def changes(scene: Scene, ledger: Ledger, value: Any) -> dict[str, Any]:
    """The fields of the Scene that `value`, an update or an answer, changes."""
    return _PAINTS[type(value)](scene, ledger, value)


def updated(scene: Scene, ledger: Ledger, kind: Kind, update: Update) -> dict[str, Any]:
    """The fields of the Scene that an update of work under way changes; cells of a kept result are not the canvas's."""
    progress = update if isinstance(update, Progress) else partial_of(update).progress
    job = ledger.job(kind, progress)
    jobs = tuple(job if other.kind is kind else other for other in scene.jobs)
    return {"jobs": jobs} | ({} if kind is Kind.KEPT else changes(scene, ledger, update))


def _first_cells(scene: Scene, ledger: Ledger, update: PartialLabels) -> dict[str, Any]:
    """The cells of a sliding window; another network's picture makes room for them, and is asked for anew."""
    if scene.before is None:
        return {"partial": update}
    ledger.forget(Kind.PREDICTION)
    return {"partial": update, "prediction": None, "before": None}


def _patches_so_far(scene: Scene, ledger: Ledger, update: TopUpdate) -> dict[str, Any]:
    """They take the place of those of before, which are asked for anew."""
    ledger.forget(Kind.PATCHES)
    return {"top": update.found}


def partial_of(update: Update) -> PartialLabels | TopUpdate:
    """What a race or a method has found so far."""
    assert not isinstance(update, Progress)
    return update.partial if isinstance(update, RaceUpdate) else update


def _race_update(scene: Scene, ledger: Ledger, update: RaceUpdate) -> dict[str, Any]:
    others = tuple(other for other in scene.race_updates if other.side != update.side)
    return {"race_updates": (*others, update)}


_PAINTS: dict[type, Callable[[Scene, Ledger, Any], dict[str, Any]]] = {
    Progress: lambda scene, ledger, update: {},
    PartialLabels: _first_cells,
    RaceUpdate: _race_update,
    Network: lambda scene, ledger, answer: {"network": answer},
    Prediction: lambda scene, ledger, answer: comparing.answered(scene, answer),
    FeatureMaps: lambda scene, ledger, answer: {"features": answer},
    RaceResult: lambda scene, ledger, answer: {"race": answer, "race_updates": ()},
    WindowAnswer: lambda scene, ledger, answer: {"window": answer},
    Badge: lambda scene, ledger, answer: {"badge": answer},
    DepthAnswer: lambda scene, ledger, answer: {"depths": answer},
    OcclusionAnswer: lambda scene, ledger, answer: {"occlusion": answer},
    EffectiveField: lambda scene, ledger, answer: {"effective": answer},
    MeasuredField: lambda scene, ledger, answer: {"measured": answer},
    TopUpdate: _patches_so_far,
    TopAnswer: lambda scene, ledger, answer: {"top": answer},
    CamAnswer: lambda scene, ledger, answer: {"cams": answer},
    FilterAnswer: lambda scene, ledger, answer: {"filters": answer},
    ContributionAnswer: lambda scene, ledger, answer: {"contributions": answer},
    SumAnswer: lambda scene, ledger, answer: {"sums": answer},
    ShiftAnswer: lambda scene, ledger, answer: {"shift": answer},
    SizesAnswer: lambda scene, ledger, answer: {"sizes": answer},
}

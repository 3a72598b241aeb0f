"""Results that are kept and compared: what is on the shelf, what it is called, what a gesture does. Pure functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from segviz.core import planning
from segviz.core.choices import CompareView, NetworkView, TrainingPage
from segviz.core.kept import MOST, Kept
from segviz.core.requests import KeptRequest, Prediction, SegmentRequest
from segviz.core.session import State
from segviz.gui.names import title_of
from segviz.gui.scene import Scene, Tab

Changes = dict[str, Any]
LARGEST_SCORES = 64 * 2**20  # bytes of logits that a kept result may have; of larger ones only the labels are kept
VIEWS = 4  # results side by side, the newest among them
STEP = 0.02  # of the image's width that a key moves the curtain


@dataclass(frozen=True, eq=False)
class Result:
    """One of those that are compared. `index` is its place among the kept ones, None for the newest."""

    index: int | None
    title: str
    prediction: Prediction | None  # None until it is computed


def request_of(kept: Kept, state: State) -> KeptRequest | None:
    return planning.plan_kept(kept, state)


def slim(prediction: Prediction, request: KeptRequest) -> Prediction:
    """What the shelf keeps of a prediction: labels and confidence, and scores where they are small."""
    logits = prediction.logits
    kept = logits if logits.nbytes <= LARGEST_SCORES else logits[:, :0, :0].copy()
    return replace(prediction, request=request, logits=kept, twin=None, layer_seconds=())


def shelf(scene: Scene) -> tuple[Prediction, ...]:
    """The predictions of kept results of the image that is shown; the newest joins them where it is one of them."""
    shown = scene.answer
    found: list[Prediction] = []
    for kept in scene.state.kept:
        wanted = request_of(kept, scene.state)
        known = next((p for p in scene.shelf if p.request == wanted), None)
        if known is None and wanted is not None and shown is not None and _kept_form(shown.request) == wanted:
            known = slim(shown, wanted)
        if known is not None and all(known is not other for other in found):
            found.append(known)
    return tuple(found)


def shelved(scene: Scene) -> Scene:
    """The scene with what is on the shelf by now."""
    if not scene.state.kept and not scene.shelf:
        return scene
    now = shelf(scene)
    same = len(now) == len(scene.shelf) and all(a is b for a, b in zip(now, scene.shelf, strict=True))
    return scene if same else replace(scene, shelf=now)


def answered(scene: Scene, answer: Prediction) -> Changes:
    """What a prediction changes in a scene: a kept one joins the shelf, any other is shown."""
    if isinstance(answer.request, KeptRequest):
        return {"shelf": (*scene.shelf, slim(answer, answer.request))}
    return {"prediction": answer, "partial": None, "before": None}


def _kept_form(request: SegmentRequest) -> KeptRequest:
    return KeptRequest(**{name: getattr(request, name) for name in SegmentRequest.__slots__})


def missing(scene: Scene) -> KeptRequest | None:
    """The next kept result that a comparison still needs; the one that is looked at first. What was refused is not."""
    state = scene.state
    if state.compare is CompareView.NONE or scene.answer is None:
        return None
    first = chosen(state)
    order = sorted(range(len(state.kept)), key=lambda index: index != first)
    there = {prediction.request for prediction in scene.shelf} | {request for request, _ in scene.refused}
    asked = (request_of(state.kept[index], state) for index in order)
    return next((request for request in asked if request is not None and request not in there), None)


def chosen(state: State) -> int | None:
    """The kept result that is compared; None where nothing is kept."""
    return min(state.compared, len(state.kept) - 1) if state.kept else None


def found(scene: Scene, index: int) -> Prediction | None:
    """The prediction of a kept result, where it is there and as large as the picture."""
    wanted, picture = request_of(scene.state.kept[index], scene.state), scene.picture
    known = next((p for p in scene.shelf if p.request == wanted), None)
    if known is None or picture is None or known.labels.shape != (picture.height, picture.width):
        return None
    return known


def refusal(scene: Scene, index: int) -> str:
    """Why a kept result cannot be computed; '' where it can, as far as is known."""
    wanted = request_of(scene.state.kept[index], scene.state)
    return next((why for request, why in scene.refused if request == wanted), "")


def results(scene: Scene) -> tuple[Result, ...]:
    """The kept results in their order."""
    named = titles(scene.state)
    return tuple(Result(index, named[index], found(scene, index)) for index in range(len(scene.state.kept)))


def side_by_side(scene: Scene) -> tuple[Result, ...]:
    """At most `VIEWS`: kept ones, the chosen one among them, and the newest last."""
    kept, first = results(scene), chosen(scene.state)
    start = max(0, (first or 0) - (VIEWS - 2))
    return (*kept[start : start + VIEWS - 1], newest(scene))


def is_side_by_side(scene: Scene) -> bool:
    return scene.state.compare is CompareView.SIDE_BY_SIDE and bool(scene.state.kept) and scene.picture is not None


def newest(scene: Scene) -> Result:
    return Result(None, titles(scene.state)[-1], scene.shown_prediction)


def scene_of(scene: Scene, result: Result) -> Scene:
    """The scene as if the result were the newest, for a view of its own.

    Classes that are hidden, alone or shown as a heatmap are those of the newest; other classes have other numbers.
    """
    state, newest = replace(scene.state, compare=CompareView.NONE), scene.shown_prediction
    if result.index is None or result.prediction is None:
        return replace(scene, state=state, prediction=result.prediction)
    if newest is not None and newest.classes != result.prediction.classes:
        state = replace(state, hidden=frozenset(), solo=None, shown_class=None)
    return replace(scene, state=state, prediction=result.prediction, partial=None)


# ------------------------------------------------------------------------------------- names


def _scale(value: float | None) -> str:
    return "own size" if value is None else f"{value * 100:.0f} %"


def _refinement(kept: Kept) -> str:
    if not kept.refine:
        return "plain"  # short: names are cut in the middle, and "not" would be lost
    return f"refined {kept.refine_width:g}, {kept.refine_colour:g}, {kept.refine_smoothness:g}"


# What two results may differ in, and how each says it.
WORDS: tuple[tuple[tuple[str, ...], Callable[[Kept], str]], ...] = (
    (("model",), lambda kept: title_of(kept.model)),
    (("method",), lambda kept: kept.method.title),
    (("upsampling",), lambda kept: kept.upsampling.title),
    (("refine", "refine_width", "refine_colour", "refine_smoothness"), _refinement),
    (("scale",), lambda kept: _scale(kept.scale)),
    (("pooling",), lambda kept: f"pooling {kept.pooling.title.lower()}"),
    (("grid_stride",), lambda kept: f"stride {kept.grid_stride}" if kept.grid_stride else "own stride"),
    (("device",), lambda kept: kept.device.title),
    (("fast",), lambda kept: "fast" if kept.fast else "plain arithmetic"),
)


def titles(state: State) -> tuple[str, ...]:
    """What the kept results, and last the newest, are called: as a person named them, else by what differs."""
    everything = (*state.kept, Kept.of(state))
    told = [words for names, words in WORDS if _differ(everything, names)]
    told = told or [WORDS[0][1]]
    return tuple(kept.name or ", ".join(words(kept) for words in told) for kept in everything)


def _differ(results: tuple[Kept, ...], names: tuple[str, ...]) -> bool:
    return len({tuple(getattr(kept, name) for name in names) for kept in results}) > 1


# ---------------------------------------------------------------------------------- gestures


def keep(scene: Scene) -> Changes:
    """Keep the newest result; nothing without one, or where it is kept already."""
    if scene.answer is None:
        return {}
    kept, state = Kept.of(scene.state), scene.state
    same = [index for index, one in enumerate(state.kept) if replace(one, name="") == kept]
    if same:
        return {"compared": same[0]}
    all_kept = (*state.kept, kept)[-MOST:]
    return {"kept": all_kept, "compared": len(all_kept) - 1}


def remove(scene: Scene) -> Changes:
    """Take the chosen result off the shelf; with the last one the comparison ends."""
    index, kept = chosen(scene.state), scene.state.kept
    if index is None:
        return {}
    named = [replace(one, name=title) for one, title in zip(kept, titles(scene.state)[:-1], strict=True)]
    left = (*named[:index], *named[index + 1 :])  # each keeps what it is called, although less may differ now
    changes: Changes = {"kept": left, "compared": max(0, min(index, len(left) - 1))}
    return changes if left else changes | {"compare": CompareView.NONE}


def rename(scene: Scene, name: str) -> Changes:
    """Call the chosen result `name`; '' calls it by what differs again."""
    index, kept = chosen(scene.state), scene.state.kept
    if index is None:
        return {}
    return {"kept": (*kept[:index], replace(kept[index], name=" ".join(name.split())), *kept[index + 1 :])}


def show(scene: Scene, view: CompareView) -> Changes:
    """Compare in that way, or no longer where it is in force. The first comparison keeps what there is."""
    if view is scene.state.compare:
        return {"compare": CompareView.NONE}
    first = keep(scene) if not scene.state.kept and view is not CompareView.NONE else {}
    if not scene.state.kept and not first:
        return {}
    return first | {"compare": view}


def room(state: State) -> Changes:
    """What makes room for the image: no view of the network, laboratories show the image, a race goes behind a tab."""
    return {"network_view": NetworkView.NONE, **_without_stage(state)}


def _without_stage(state: State) -> Changes:
    if state.tab == Tab.UPSAMPLING:
        return {"upsampling_lab": replace(state.upsampling_lab, image=True)}
    if state.tab == Tab.TRAINING:
        return {"training_page": TrainingPage.IMAGE}
    if state.tab == Tab.SCORES:
        return {"scores_large": False}
    return {"tab": Tab.FEATURE_MAPS.value} if state.tab == Tab.RACE else {}


def choose(scene: Scene, step: int) -> Changes:
    """The next kept result, or the one before."""
    index = chosen(scene.state)
    return {} if index is None else {"compared": (index + step) % len(scene.state.kept)}


def draw_curtain(scene: Scene, steps: int) -> Changes:
    """Move the curtain by `steps` of its own."""
    if scene.state.compare is not CompareView.CURTAIN:
        return {}
    return {"curtain": round(min(1.0, max(0.0, scene.state.curtain + steps * STEP)), 4)}


def restore(scene: Scene) -> Changes:
    """Make the chosen result the newest: its network, method and all else that makes it."""
    index = chosen(scene.state)
    return {} if index is None else scene.state.kept[index].changes

"""What a State wants done by now, as pure functions, and which of its fields belong together."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

from segviz.core import planning, requests
from segviz.core.cams import CamRequest
from segviz.core.capabilities import Ability, Verdict
from segviz.core.choices import Heat, MapPage, View
from segviz.core.contributions import ContributionRequest
from segviz.core.depths import DepthRequest
from segviz.core.effective import EffectiveRequest
from segviz.core.field import Status
from segviz.core.filters import FilterRequest
from segviz.core.laboratory import Source
from segviz.core.measured import MeasureRequest
from segviz.core.occlusion import OcclusionRequest
from segviz.core.races import RaceRequest
from segviz.core.requests import (
    ClassifyRequest,
    DescribeRequest,
    ExamineRequest,
    FeatureRequest,
    KeptRequest,
    Request,
    SegmentRequest,
)
from segviz.core.session import NETWORK_DEFAULTS, State
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.specs import parse
from segviz.core.top_patches import TopRequest
from segviz.core.unit_sums import SumRequest
from segviz.gui import comparing, sighting
from segviz.gui.names import sentence
from segviz.gui.scene import Kind, Message, Scene, Tab, is_about, pinned

# What a person may change of a picture that a newer one is about to replace.
VIEWING = ("view", "opacity", "heat_opacity", "minimum", "heat_minimum", "palette", "colour_map")
SLIDERS = ("scale", "grid_stride", "refine_width", "refine_colour", "refine_smoothness")  # fields that change in bursts

# What goes back together when a network cannot be opened: it, what belongs to it, and what was set to suit it.
NETWORK_FIELDS = ("model", *NETWORK_DEFAULTS, "cursor", "view", "minimum")


LONG = (
    Kind.DESCRIPTION,
    Kind.PREDICTION,
    Kind.FEATURES,
    Kind.RACE,
    Kind.KEPT,
    Kind.DEPTHS,
    Kind.OCCLUSION,
    Kind.EFFECTIVE,
    Kind.MEASURE,
    Kind.CAMS,
    Kind.PATCHES,
    Kind.CONTRIBUTIONS,
    Kind.SUMS,
    Kind.SHIFT,
)  # what a person stops; the rest is quick

REQUESTS: dict[Kind, type[Request]] = {
    Kind.DESCRIPTION: DescribeRequest,
    Kind.PREDICTION: SegmentRequest,
    Kind.FEATURES: FeatureRequest,
    Kind.RACE: RaceRequest,
    Kind.WINDOW: ClassifyRequest,
    Kind.KEPT: KeptRequest,
    Kind.BADGE: ExamineRequest,
    Kind.DEPTHS: DepthRequest,
    Kind.OCCLUSION: OcclusionRequest,
    Kind.EFFECTIVE: EffectiveRequest,
    Kind.MEASURE: MeasureRequest,
    Kind.CAMS: CamRequest,
    Kind.FILTERS: FilterRequest,
    Kind.PATCHES: TopRequest,
    Kind.CONTRIBUTIONS: ContributionRequest,
    Kind.SUMS: SumRequest,
    Kind.SHIFT: ShiftRequest,
    Kind.SIZES: SizesRequest,
}

# Fields of the Scene that hold an answer, and the kind of work that makes it.
ANSWERS = {
    "prediction": Kind.PREDICTION,
    "features": Kind.FEATURES,
    "race": Kind.RACE,
    "window": Kind.WINDOW,
    "depths": Kind.DEPTHS,
    "occlusion": Kind.OCCLUSION,
    "effective": Kind.EFFECTIVE,
    "measured": Kind.MEASURE,
    "cams": Kind.CAMS,
    "filters": Kind.FILTERS,
    "top": Kind.PATCHES,
    "contributions": Kind.CONTRIBUTIONS,
    "sums": Kind.SUMS,
    "shift": Kind.SHIFT,
    "sizes": Kind.SIZES,
}


def wanted(scene: Scene, opening: bool, described: Request | None) -> dict[Kind, Request | None]:
    """What should be asked of the engine by now; None: nothing of that kind, or not yet.

    While an image is `opening` nothing is; what needs the network waits for its description,
    `described` being the newest that there is. A race is wanted only if it runs already.
    """
    state = scene.state
    found: dict[Kind, Request | None] = {kind: None for kind in REQUESTS if kind is not Kind.BADGE}
    if opening:
        return found
    found[Kind.RACE] = planning.plan_race(state)
    description = planning.plan_description(state, scene.decides)
    found[Kind.DESCRIPTION] = description
    if description is None or described is None or not planning.same_but_drawn(described, description):
        return found
    found[Kind.PREDICTION] = planning.plan_prediction(state)
    upsampled = state.tab == Tab.UPSAMPLING
    found[Kind.DEPTHS] = planning.plan_depths(state) if upsampled else None
    found[Kind.CONTRIBUTIONS] = sighting.contributions_wanted(scene)
    if state.tab == Tab.CONVOLUTION:
        found |= _taken_apart(scene)
    known = _has_layer(scene)
    on_maps = state.tab == Tab.FEATURE_MAPS
    filters = on_maps and known and state.map_page is MapPage.FILTERS
    found[Kind.FILTERS] = planning.plan_filter(state) if filters else None
    patches = on_maps and known and state.map_page is MapPage.PATCHES
    found[Kind.PATCHES] = planning.plan_patches(state) if patches else None
    looked_at = on_maps or (upsampled and state.upsampling_lab.source is Source.FEATURE)
    if looked_at or state.unit is not None:
        found[Kind.FEATURES] = planning.plan_features(state) if known else None
    unit = pinned(scene)
    if unit is not None:
        found[Kind.EFFECTIVE] = planning.plan_effective(state)
        lost = unit.status in (Status.UNKNOWN, Status.MEASURED)
        found[Kind.MEASURE] = planning.plan_measure(state, scene.decides) if lost else None
    if scene.network is not None and scene.network.window is not None:
        found[Kind.WINDOW] = planning.plan_window(state)
    found[Kind.OCCLUSION] = planning.plan_occlusion(state)
    found[Kind.KEPT] = comparing.missing(scene)
    found[Kind.CAMS] = _cams(scene)
    return found


def _cams(scene: Scene) -> CamRequest | None:
    """What speaks for the classes that are looked at: a class that has its map already asks for nothing."""
    state, have = scene.state, scene.shown_cams
    looked_at = state.tab == Tab.HEATMAPS or state.view is View.HEATMAP
    there = (
        _has_layer(scene) if state.cams.heat is Heat.GRAD_CAM else scene.network is not None
    )  # CAM has its own layer
    wanted = planning.plan_cams(state) if looked_at and there else None
    chosen = state.shown_class
    if wanted is not None and have is not None and have.request.layer != wanted.layer:
        return scene.refused_cams(wanted)  # once is enough, whatever class is looked at
    if wanted is None or chosen is None:
        return wanted if have is None or wanted is None else replace(wanted, classes=have.request.classes)
    known = have is not None and chosen in have.classes
    return replace(wanted, classes=have.request.classes if have is not None and known else (chosen,))


def without_heat(scene: Scene, heat: Heat) -> str:
    """Why the network that is chosen has no such heatmaps, as far as is known before they are asked for; else ''."""
    if heat is Heat.CAM and scene.known is not None:
        return scene.known.no_cam
    if heat is Heat.GRAD_CAM and scene.known is not None and scene.shown_badge is not None:
        failed = (one for one in scene.shown_badge.capabilities if one.verdict is Verdict.NO)
        return next((one.reason for one in failed if one.ability is Ability.GRADIENTS), "")
    return ""


def _has_layer(scene: Scene) -> bool:
    return scene.network is not None and scene.network.layer(scene.state.layer or "") is not None


def _taken_apart(scene: Scene) -> dict[Kind, Request | None]:
    """What the convolution laboratory shows, of a layer that the network has."""
    state, network = scene.state, scene.network
    if network is None or network.layer(state.layer or "") is None:
        return {}
    return {
        Kind.SUMS: planning.plan_sums(state),
        Kind.SHIFT: planning.plan_shift(state),
        Kind.SIZES: planning.plan_sizes(state, network.frame.outer),
    }


def badge(state: State) -> Request | None:
    """What a network can do is the same however it is viewed."""
    return planning.plan_badge(replace(state, model=str(parse(state.model).opening))) if state.model else None


def waits(kind: Kind, asked: Request, wanted: Request) -> bool:
    """Whether what is wanted by now waits for the answer that is on its way.

    Drawing and dragging change the question many times a second. If each ended the run of the one
    before, none would be answered until the hand rests; the newest is asked for when the answer has come.
    """
    return kind is not Kind.RACE and planning.same_but_drawn(asked, wanted)


def foreign(scene: Scene, state: State) -> dict[str, Any]:
    """Answers that would lie about the image and network that have just come, to be taken off the screen."""
    gone: dict[str, Any] = {}
    if scene.prediction is not None and scene.prediction.request.setup.image != state.image:
        gone |= {"prediction": None, "partial": None, "before": None}
    if scene.features is not None and not is_about(scene.features.request.setup, state):
        gone["features"] = None
    if scene.window is not None and not is_about(scene.window.request.setup, state):
        gone["window"] = None
    if scene.depths is not None and scene.depths.request.setup.image not in (None, state.image):
        gone["depths"] = None
    if scene.occlusion is not None and not is_about(scene.occlusion.request.setup, state):
        gone["occlusion"] = None
    if scene.effective is not None and not is_about(scene.effective.request.setup, state):
        gone["effective"] = None
    if scene.measured is not None and not is_about(scene.measured.request.setup, state):
        gone["measured"] = None
    if scene.cams is not None and not is_about(scene.cams.request.setup, state):
        gone["cams"] = None
    for name in ("contributions", "sums", "shift"):
        answer = getattr(scene, name)
        if answer is not None and not is_about(answer.request.setup, state):
            gone[name] = None
    race = scene.race.request.setup if scene.race is not None else None
    if race is not None and (not is_about(race, state) or race.revision != state.revision):
        gone["race"] = None
    return gone


def before(scene: Scene, old: State, new: State) -> State | None:
    """The State that the scene's prediction belongs to, now that `new` follows `old`; None: `new` itself.

    Another network's picture stays as it was until its own answer has come; what a person changes
    of the view meanwhile is seen on it too.
    """
    prediction = scene.prediction
    if prediction is None or is_about(prediction.request.setup, new):
        return None
    if scene.before is None or (old.model, old.image) != (new.model, new.image):
        return scene.before or old
    changed = {name: getattr(new, name) for name in VIEWING if getattr(new, name) != getattr(old, name)}
    return replace(scene.before, **changed)


def made_with(request: SegmentRequest) -> dict[str, Any]:
    """What of the State a prediction was made with, as changes that bring it back."""
    setup = request.setup
    changes: dict[str, Any] = {"method": request.method, "upsampling": request.upsampling}
    if request.method in requests.STRIDED:
        changes["grid_stride"] = request.grid_stride
    changes["refine"] = request.refinement is not None
    if request.refinement is not None:
        changes |= {f"refine_{name}": value for name, value in asdict(request.refinement).items()}
    return changes | {"scale": setup.scale, "pooling": setup.pooling, "device": setup.device, "fast": setup.fast}


def subject(state: State) -> tuple[str, str | None]:
    """What messages are about: network and image."""
    return state.model, state.image


def lacking(scene: Scene, text: str, about: Kind | None) -> dict[str, Any]:
    """What changes where no picture comes because of what `text` says: panels that wait for one say so, too."""
    lost = about in (Kind.DESCRIPTION, Kind.PREDICTION) and scene.answer is None
    return {"unanswered": f"{sentence(text).rstrip('.')}."} if lost else {}


def revived(message: Message) -> Message | None:
    """What is left to say of an engine that stopped, once it answers again: what is to be done by hand."""
    if message.about is None:
        return None
    return replace(message, text=message.text.replace("; it is starting again", ""))


Undo = dict[str, tuple[Any, Any]]  # what fields of the State were, and what they became


def difference(old: State, new: State) -> Undo:
    """The fields that a change of the State has changed."""
    pairs = {field.name: (getattr(old, field.name), getattr(new, field.name)) for field in fields(State)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def first_image(state: State) -> Undo:
    """What takes the image of a first `state` off again, and leaves the network."""
    return {name: pair for name, pair in difference(State(), state).items() if name in ("image", "unit", "cursor")}


def merged(first: Undo, second: Undo) -> Undo:
    """Two changes, one after the other, as one."""
    return first | {name: (first.get(name, pair)[0], pair[1]) for name, pair in second.items()}


def taken_back(undo: Undo, state: State) -> dict[str, Any]:
    """The changes that undo it; what has been changed once more since then stays."""
    return {name: old for name, (old, new) in undo.items() if getattr(state, name) == new}


def only(state: State, names: tuple[str, ...]) -> dict[str, Any]:
    """Some fields of `state`, as changes that bring them back."""
    return {name: getattr(state, name) for name in names}

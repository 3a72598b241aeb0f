"""All that is on the screen, as one frozen value: the State and the newest answers to it.

Panels get (old, new) scenes and repaint what differs. Answers are compared by identity: they are
immutable, and comparing arrays would cost more than painting them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from segviz.core import catalogue, field_paths, planning
from segviz.core.cams import CamAnswer, CamRequest
from segviz.core.contributions import ContributionAnswer
from segviz.core.depths import DepthAnswer
from segviz.core.effective import EffectiveField
from segviz.core.errors import SegvizError
from segviz.core.field import Box, Status
from segviz.core.field_paths import FieldPath
from segviz.core.filters import FilterAnswer
from segviz.core.measured import MeasuredField
from segviz.core.occlusion import OcclusionAnswer
from segviz.core.overrides import adapted
from segviz.core.races import RaceResult, RaceUpdate
from segviz.core.regions import Spans, in_sight
from segviz.core.requests import (
    Badge,
    FeatureMaps,
    KeptRequest,
    Network,
    PartialLabels,
    Prediction,
    Progress,
    Request,
    Setup,
    WindowAnswer,
)
from segviz.core.session import State
from segviz.core.shifting import ShiftAnswer
from segviz.core.sizes import SizesAnswer
from segviz.core.specs import parse, same_network
from segviz.core.top_patches import TopAnswer
from segviz.core.unit_sums import SumAnswer
from segviz.gui.runs import NO_TRAINING, Training

if TYPE_CHECKING:
    from segviz.core.agreement import Agreement
    from segviz.core.entries import Entry
    from segviz.core.images import Picture
    from segviz.core.masks import Mask


class EngineStatus(StrEnum):
    OFF = "engine off"
    STARTING = "engine starting"
    READY = "engine ready"
    BUSY = "engine busy"


class Tab(StrEnum):
    """The tabs of the workbench, as `State.tab` names them."""

    FEATURE_MAPS = "feature-maps"
    HEATMAPS = "heatmaps"
    RACE = "race"
    UPSAMPLING = "upsampling"
    CONVOLUTION = "convolution"
    TRAINING = "training"
    SCORES = "scores"


class Kind(StrEnum):
    """Kinds of work; the newest of each wins."""

    IMAGE = "Opening image"
    DESCRIPTION = "Reading the network"
    PREDICTION = "Segmenting"
    FEATURES = "Feature maps"
    RACE = "Race"
    WINDOW = "Classifying the window"
    KEPT = "Computing a kept result"
    BADGE = "Examining the network"
    TRUTH = "Reading the ground truth"  # in the window's own process
    DEPTHS = "Scoring the depths"
    OCCLUSION = "Occluding a part of the image"
    EFFECTIVE = "Going back to the pixels"
    MEASURE = "Measuring a field"
    CAMS = "Finding what speaks for a class"
    FILTERS = "Reading the filters"
    PATCHES = "Looking for top patches"
    CONTRIBUTIONS = "Taking a score apart"
    SUMS = "Taking the unit apart"
    SHIFT = "Shifting the image"
    SIZES = "Feeding another size"


@dataclass(frozen=True, slots=True)
class Job:
    """Work under way. `rate` is in units a second, `remaining` in seconds; None until known."""

    kind: Kind
    progress: Progress | None = None
    rate: float | None = None
    remaining: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say to the person, beside what caused it. `about` is what failed, None: general.

    `offer` is the id of an action that helps; '': none does.
    """

    text: str
    details: str = ""
    about: Kind | None = None
    offer: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """What panels paint. Answers may belong to an older State for as long as newer ones are computed."""

    state: State
    picture: Picture | None = None
    network: Network | None = None
    prediction: Prediction | None = None
    partial: PartialLabels | None = None
    unanswered: str = ""  # why no prediction comes, in a sentence, where the newest run ended without one
    features: FeatureMaps | None = None
    race: RaceResult | None = None
    race_updates: tuple[RaceUpdate, ...] = ()  # the newest of each side, while a race runs
    window: WindowAnswer | None = None
    shelf: tuple[Prediction, ...] = ()  # of the kept results, as far as they are computed: see `comparing`
    refused: tuple[tuple[KeptRequest, str], ...] = ()  # kept results that cannot be computed, and why
    depths: DepthAnswer | None = None  # what the network upsamples with; see `shown_depths`
    occlusion: OcclusionAnswer | None = None  # see `sighting.occluded`
    effective: EffectiveField | None = None  # what a unit looks at; see `shown_effective`
    measured: MeasuredField | None = None  # of a unit whose field is not known; see `pinned`
    cams: CamAnswer | None = None  # what speaks for classes; see `shown_cams`
    filters: FilterAnswer | None = None  # of a map of a layer; see `shown_filters`
    top: TopAnswer | None = None  # what a map answers to; see `shown_top`
    contributions: ContributionAnswer | None = None  # what paths add to a score; see `shown_contributions`
    sums: SumAnswer | None = None  # the convolution behind a unit; see `shown_sums`
    shift: ShiftAnswer | None = None  # what a shift of the image does; see `shown_shift`
    sizes: SizesAnswer | None = None  # what another size does; see `shown_sizes`
    badge: Badge | None = None  # what can be done with a network; see `shown_badge`
    truth: Mask | None = None  # the ground truth; see `shown_truth`
    agreement: Agreement | None = None  # of a prediction with the ground truth; see `shown_agreement`
    unscored: str = ""  # why there is none
    jobs: tuple[Job, ...] = ()
    given_up: tuple[Request, ...] = ()  # what failed or was stopped; see `waits_for`
    engine: EngineStatus = EngineStatus.OFF
    device: str = ""
    message: Message | None = None
    training: Training = NO_TRAINING  # the runs of the training laboratory
    before: State | None = None  # what the prediction belongs to, while it is not the answer for `state` yet

    @cached_property
    def in_sight(self) -> dict[int, Spans]:
        """What the pinned unit needs of each node of the network: walked once for all that shows it; {} without one."""
        unit = pinned(self)
        if unit is None or self.network is None:
            return {}
        return in_sight(self.network.geometry, unit.layer, unit.row, unit.column)

    @cached_property
    def paths(self) -> tuple[FieldPath, ...]:
        """The paths to the pinned unit, the widest first; () where there is one alone, or no unit."""
        unit = pinned(self)
        if unit is None or self.network is None:
            return ()
        return field_paths.paths(self.network.geometry, unit.layer, unit.row, unit.column)

    @property
    def seen(self) -> Scene:
        """The scene with the State that its prediction belongs to: an old picture stays in its old view."""
        return self if self.before is None else replace(self, state=self.before, before=None)

    @property
    def answer(self) -> Prediction | None:
        """The prediction, unless it is another network's or image's."""
        return None if self.before is not None else self.prediction

    @property
    def known(self) -> Network | None:
        """The network where it is the one that is chosen, however that is viewed by now; None until it is open."""
        network = self.network
        same = network is not None and same_network(network.request.setup.model, self.state.model)
        return network if same else None

    @property
    def decides(self) -> bool:
        """Whether the image decides what the network does: what is drawn on it then moves fields, too."""
        return self.known is not None and self.known.decides != ""

    @property
    def entry(self) -> Entry | None:
        """What is known of the network that is chosen: by the engine once it is open, until then by its spec.

        None where none is chosen, or one that there is not. Names from a file wait for the engine.
        """
        known, model = self.known, self.state.model
        if known is not None and known.request.setup.model == model:
            return known.entry
        try:
            spec = parse(model).without("labels")
            return catalogue.entry(str(spec)) if known is None else adapted(known.brought, spec)
        except SegvizError:
            return known.entry if known is not None else None

    @property
    def shown_badge(self) -> Badge | None:
        """The badge where it is of the network on the screen, also while another is being read; None otherwise."""
        badge, network = self.badge, self.network
        if badge is None or network is None:
            return None
        return badge if same_network(badge.request.setup.model, network.request.setup.model) else None

    @property
    def shown_depths(self) -> DepthAnswer | None:
        """What the network upsamples with, where it is of the network, and of the image, that are chosen; else None."""
        setup = self.depths.request.setup if self.depths is not None else None
        same = setup is not None and setup.model == self.state.model and setup.image in (None, self.state.image)
        return self.depths if same else None

    @property
    def shown_effective(self) -> EffectiveField | None:
        """What glows in the field of the unit that is pinned; None as soon as another unit, or another glow, is."""
        found, wanted = self.effective, planning.plan_effective(self.state)
        same = found is not None and wanted is not None and planning.same_but_drawn(found.request, wanted)
        return found if same else None

    @property
    def shown_cams(self) -> CamAnswer | None:
        """What speaks for classes, where it is what the State asks by now; None otherwise.

        Where a layer was refused, that of the layer before it stays.
        """
        found, wanted = self.cams, planning.plan_cams(self.state)
        if found is None or wanted is None:
            return None
        have = replace(found.request, classes=())
        if self.refused_cams(wanted) is not None:
            wanted = replace(wanted, layer=have.layer)
        return found if have == wanted or planning.same_but_drawn(have, wanted) else None

    def refused_cams(self, wanted: CamRequest) -> CamRequest | None:
        """What was asked of the same, for whichever classes, and given up; None where nothing was."""
        asked = (one for one in self.given_up if isinstance(one, CamRequest))
        return next((one for one in asked if replace(one, classes=()) == wanted), None)

    @property
    def shown_contributions(self) -> ContributionAnswer | None:
        """What the paths to the pinned unit add to its class; None as soon as another unit is pinned."""
        found, network = self.contributions, self.network
        wanted = planning.plan_contributions(self.state, network) if network is not None else None
        same = found is not None and wanted is not None and planning.same_but_drawn(found.request, wanted)
        return found if same else None

    @property
    def shown_sums(self) -> SumAnswer | None:
        """The convolution where it is of the layer, the image and the network that are chosen; else None."""
        found, state = self.sums, self.state
        same = found is not None and found.request.layer == state.layer and is_about(found.request.setup, state)
        return found if same else None

    @property
    def shown_shift(self) -> ShiftAnswer | None:
        """The shift where it is what the State asks by now; else None."""
        found, wanted = self.shift, planning.plan_shift(self.state)
        same = found is not None and wanted is not None and planning.same_but_drawn(found.request, wanted)
        return found if same else None

    @property
    def shown_sizes(self) -> SizesAnswer | None:
        """What another size does, where it is what the State asks by now; else None."""
        found, network = self.sizes, self.network
        wanted = planning.plan_sizes(self.state, network.frame.outer) if network is not None else None
        return found if found is not None and found.request == wanted else None

    def waits_for(self, request: Request | None) -> bool:
        """Whether an answer to `request` will come by itself: neither it nor the network was given up."""
        needed = request, planning.plan_description(self.state, self.decides)
        return request is not None and not any(one in self.given_up for one in needed)

    @property
    def network_comes(self) -> bool:
        """Whether the network that is chosen will be open in a while: there is none yet, and it was not given up."""
        return self.network is None and self.waits_for(planning.plan_description(self.state))

    def job(self, kind: Kind) -> Job | None:
        return next((job for job in self.jobs if job.kind is kind), None)

    @property
    def shown_prediction(self) -> Prediction | None:
        """The prediction where it belongs to the picture that is shown; None otherwise."""
        prediction, picture = self.prediction, self.picture
        if prediction is None or picture is None or prediction.labels.shape != (picture.height, picture.width):
            return None
        return prediction if prediction.request.setup.image in (None, self.state.image) else None

    @property
    def shown_truth(self) -> Mask | None:
        """The ground truth where it is the one that is wanted by now; None otherwise."""
        return self.truth if self.truth is not None and self.truth.path == self.state.truth else None

    @property
    def shown_agreement(self) -> Agreement | None:
        """The agreement where it is that of the prediction and the ground truth that are shown; None otherwise."""
        found = self.agreement
        if found is None or found.mask is not self.shown_truth or found.prediction is not self.shown_prediction:
            return None
        return found

    @property
    def shown_features(self) -> FeatureMaps | None:
        """The feature maps where they are of the layer, the image and the network that are chosen; None otherwise."""
        features = self.features
        if features is None or features.layer != self.state.layer or not is_about(features.request.setup, self.state):
            return None
        return features

    @property
    def shown_filters(self) -> FilterAnswer | None:
        """The filter where it is of the layer and the network that are chosen, of whichever map; None otherwise."""
        filters, state = self.filters, self.state
        if filters is None or (filters.request.setup.model, filters.request.layer) != (state.model, state.layer):
            return None
        return filters

    @property
    def shown_top(self) -> TopAnswer | None:
        """What the map that is looked at answers to, as far as it is known; None where that is of another map."""
        return self.top if self.top is not None and self.top.request == planning.plan_patches(self.state) else None

    @property
    def shown_class(self) -> int | None:
        """The class whose heatmap is shown: the chosen one, else the most widespread label but the background."""
        if self.prediction is None:
            return self.state.shown_class
        chosen = self.state.shown_class
        if chosen is not None and chosen < len(self.prediction.classes):
            return chosen
        hollow = catalogue.background(self.prediction.classes)
        named = [index for index in range(len(self.prediction.classes)) if index != hollow]
        return next((index for index, _ in self.prediction.shares if index != hollow), named[0])


def is_about(setup: Setup, state: State) -> bool:
    """Whether an answer is about the image and the network that are chosen, however they were set up."""
    return (setup.image, setup.model) == (state.image, state.model)


@dataclass(frozen=True, slots=True)
class Pinned:
    """The pinned unit with its geometry in image pixels."""

    layer: str
    channel: int
    row: int
    column: int
    field: Box
    status: Status
    reason: str
    cell: Box
    center: tuple[float, float]
    outside: float  # share of the field outside the image, 0 to 1
    value: float | None  # None until the layer's feature maps are here


def pinned(scene: Scene) -> Pinned | None:
    """The pinned unit of the scene; None without a network, a layer with a field or a unit that fits it."""
    network, state = scene.network, scene.state
    unit, layer = state.unit, state.layer
    if network is None or unit is None or layer is None or network.layer(layer) is None:
        return None
    geometry, frame = network.geometry, network.frame
    rows, columns = geometry.grid(layer)
    if unit.row >= rows or unit.column >= columns:
        return None
    try:
        found = geometry.field(layer, unit.row, unit.column)
    except SegvizError:  # a layer that does not depend on the image has units, but no field
        return None
    measured, wanted = scene.measured, planning.plan_measure(state, scene.decides)
    if found.status is Status.UNKNOWN and measured is not None and measured.request == wanted:
        found = measured.field(found)
    box = frame.box_to_image(found.box)
    height, width = frame.image
    return Pinned(
        layer=layer,
        channel=unit.channel,
        row=unit.row,
        column=unit.column,
        field=box,
        status=found.status,
        reason=found.reason,
        cell=frame.box_to_image(geometry.cell_box(layer, unit.row, unit.column)),
        center=box.center,
        outside=box.outside(width, height),
        value=_value(scene, layer, unit.channel, unit.row, unit.column),
    )


@dataclass(frozen=True, slots=True)
class Dragged:
    """The window that a person drags: its box in image pixels, and (index, name, probability) of its best classes.

    `classes` are those of the newest answer, none before there is one.
    """

    box: Box
    classes: tuple[tuple[int, str, float], ...]


def dragged(scene: Scene) -> Dragged | None:
    """The dragged window of the scene; None where there is none, or while a sliding window's own box runs."""
    network, state = scene.network, scene.state
    if state.window is None or network is None or network.window is None or scene.partial is not None:
        return None
    if scene.picture is None or network.frame.image != (scene.picture.height, scene.picture.width):
        return None
    answer = scene.window
    fits = answer is not None and is_about(answer.request.setup, state)
    return Dragged(
        network.frame.window_box(network.window, *state.window), answer.classes if fits and answer is not None else ()
    )


def _value(scene: Scene, layer: str, channel: int, row: int, column: int) -> float | None:
    features = scene.shown_features
    if features is None or features.layer != layer:
        return None
    channels, rows, columns = features.values.shape
    if channel >= channels or row >= rows or column >= columns:
        return None
    return float(features.values[channel, row, column])

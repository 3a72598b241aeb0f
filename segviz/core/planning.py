"""From State to request: what the window asks of an engine is said by pure functions of what is shown."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segviz.core import convolution_lab, field_paths
from segviz.core.cams import CamRequest
from segviz.core.choices import Area, BackRule, Device, Heat, PatchSource
from segviz.core.contributions import ContributionRequest
from segviz.core.depths import DepthRequest
from segviz.core.effective import RULES, EffectiveRequest
from segviz.core.filters import FilterRequest
from segviz.core.laboratory import Page
from segviz.core.measured import MeasureRequest
from segviz.core.occlusion import OcclusionRequest
from segviz.core.races import RaceRequest
from segviz.core.refinement import Refinement
from segviz.core.requests import (
    STRIDED,
    ClassifyRequest,
    DescribeRequest,
    ExamineRequest,
    FeatureRequest,
    KeptRequest,
    Request,
    SegmentRequest,
    Setup,
)
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.top_patches import TopRequest
from segviz.core.unit_sums import SumRequest

if TYPE_CHECKING:
    from segviz.core.kept import Kept
    from segviz.core.requests import Network
    from segviz.core.session import State


def setup_of(state: State) -> Setup | None:
    """What `state` says about network and image; None until it names a network."""
    if not state.model:
        return None
    return Setup(state.model, state.image, state.scale, state.pooling, state.device, state.revision, state.fast)


def plan_description(state: State, decides: bool = False) -> DescribeRequest | None:
    """What is drawn on an image changes neither layers nor geometry, unless its values decide what the network does.

    The device and its arithmetic change nothing.
    """
    setup = setup_of(state)
    return None if setup is None else DescribeRequest(_of_drawing(replace(setup, device=Device.AUTO), decides))


def _of_drawing(setup: Setup, decides: bool) -> Setup:
    """A setup for what belongs to an image, whatever is drawn on it, or to what is drawn where that `decides`."""
    return replace(setup, revision=setup.revision if decides else 0, fast=False)


def plan_prediction(state: State) -> SegmentRequest | None:
    setup = setup_of(state)
    if setup is None or setup.image is None:
        return None
    stride = state.grid_stride if state.method in STRIDED else None
    refinement = Refinement(state.refine_width, state.refine_colour, state.refine_smoothness) if state.refine else None
    return SegmentRequest(setup, state.method, state.upsampling, stride, refinement=refinement)


def plan_kept(kept: Kept, state: State) -> KeptRequest | None:
    """A kept result, of the image of `state`."""
    asked = plan_prediction(replace(state, **kept.changes))
    return None if asked is None else KeptRequest(**{f.name: getattr(asked, f.name) for f in fields(asked)})


def plan_features(state: State) -> FeatureRequest | None:
    setup = setup_of(state)
    return None if not setup or setup.image is None or state.layer is None else FeatureRequest(setup, state.layer)


def plan_race(state: State) -> RaceRequest | None:
    setup = setup_of(state)
    return None if setup is None or setup.image is None else RaceRequest(setup, state.grid_stride)


def plan_window(state: State) -> ClassifyRequest | None:
    setup = setup_of(state)
    return None if not setup or setup.image is None or not state.window else ClassifyRequest(setup, *state.window)


def plan_badge(state: State) -> ExamineRequest | None:
    return ExamineRequest(Setup(state.model, device=state.device)) if state.model else None  # no image, no pooling


def plan_depths(state: State) -> DepthRequest | None:
    """The kernels alone, unless the page that is open shows scores of depths."""
    setup = setup_of(state)
    if setup is None:
        return None
    wanted = setup.image is not None and state.upsampling_lab.page in (Page.SKIPS, Page.DEPTHS)
    return DepthRequest(setup if wanted else Setup(state.model, device=state.device), wanted)


def plan_occlusion(state: State) -> OcclusionRequest | None:
    setup, square = setup_of(state), state.sight.square
    return (
        None
        if not setup or setup.image is None or square is None
        else OcclusionRequest(setup, *square, state.sight.side)
    )


def plan_effective(state: State) -> EffectiveRequest | None:
    """What lights up in the field of the pinned unit; back-projections are of one image alone."""
    setup, unit, rule = setup_of(state), state.unit, RULES.get(state.glow)
    if setup is None or setup.image is None or state.layer is None or unit is None or rule is None:
        return None
    images = state.glow_images if rule is BackRule.GRADIENT else 1
    return EffectiveRequest(setup, state.layer, unit.channel, unit.row, unit.column, rule, images)


def plan_measure(state: State, decides: bool = False) -> MeasureRequest | None:
    """What the pinned unit sees, measured on the image; what is drawn on that moves no field, as in a description."""
    setup, unit = setup_of(state), state.unit
    if setup is None or setup.image is None or state.layer is None or unit is None:
        return None
    return MeasureRequest(_of_drawing(setup, decides), state.layer, unit.row, unit.column)


def plan_contributions(state: State, network: Network) -> ContributionRequest | None:
    """What the paths to the pinned unit add to its class, where it is one of the answer's, and paths are shown."""
    setup, unit, geometry = setup_of(state), state.unit, network.geometry
    if setup is None or setup.image is None or unit is None or not state.sight.paths:
        return None
    if state.layer is None or network.layer(state.layer) is None:
        return None
    (rows, columns), index = geometry.grid("last"), unit.channel + network.entry.sigmoid
    there = unit.row < rows and unit.column < columns and index < len(network.classes)
    if geometry.index(state.layer) != geometry.index("last") or not there:
        return None
    if not field_paths.has_paths(geometry, "last"):
        return None
    return ContributionRequest(setup, unit.row, unit.column, index)


def plan_cams(state: State) -> CamRequest | None:
    """What speaks for the foremost classes, at the selected layer or, for CAM, at the one layer that has it."""
    setup, view = setup_of(state), state.cams
    if setup is None or setup.image is None or view.heat is Heat.PROBABILITY:
        return None
    if view.heat is Heat.GRAD_CAM and state.layer is None:
        return None
    layer = state.layer if view.heat is Heat.GRAD_CAM and state.layer is not None else "last"
    at = state.cursor if view.at_unit else None
    return CamRequest(setup, view.heat, layer, area=Area.AUTO if at is None else Area.UNIT, point=at)


def plan_filter(state: State) -> FilterRequest | None:
    """The filter of the map that is looked at, the first one's where none is."""
    if not state.model or state.layer is None:
        return None
    setup = Setup(state.model, pooling=state.pooling, device=state.device)  # weights are the same for every image
    return FilterRequest(setup, state.layer, state.looked_at or 0)


def plan_patches(state: State) -> TopRequest | None:
    """What the map that is looked at answers to, over the shipped images or those beside the open one."""
    setup = setup_of(state)
    if setup is None or state.layer is None:
        return None
    beside = state.patch_source is PatchSource.FOLDER and state.image is not None
    folder = str(Path(state.image).parent) if beside and state.image is not None else None
    return TopRequest(replace(setup, image=None, revision=0), state.layer, state.looked_at or 0, folder)


TAKEN_APART = (
    convolution_lab.Page.PRODUCTS,
    convolution_lab.Page.SLIDING,
    convolution_lab.Page.RELU,
    convolution_lab.Page.POOLING,
)  # pages that show a convolution of the network, unless they show the image


def plan_sums(state: State) -> SumRequest | None:
    """The convolution behind the pinned unit, where the page that is open shows one."""
    setup, lab = setup_of(state), state.convolution_lab
    wanted = lab.page in TAKEN_APART and lab.source is convolution_lab.Source.LAYER
    if setup is None or setup.image is None or state.layer is None or not wanted:
        return None
    unit = state.unit
    return SumRequest(setup, state.layer, None if unit is None else (unit.channel, unit.row, unit.column))


def plan_shift(state: State) -> ShiftRequest | None:
    setup, lab = setup_of(state), state.convolution_lab
    if setup is None or setup.image is None or state.layer is None or lab.page is not convolution_lab.Page.SHIFT:
        return None
    return ShiftRequest(setup, state.layer, state.unit.channel if state.unit is not None else 0, lab.dx, lab.dy)


def plan_sizes(state: State, size: tuple[int, int]) -> SizesRequest | None:
    """`size` (height, width) is that of the image for the network, which is fed unless a square was chosen."""
    lab = state.convolution_lab
    if not state.model or lab.page is not convolution_lab.Page.HEAD:
        return None
    return SizesRequest(Setup(state.model, pooling=state.pooling), (lab.feed, lab.feed) if lab.feed else size)


def same_but_drawn(one: Request, other: Request) -> bool:
    """Whether two asks are one but for what was drawn on the image, or where on it a person points, in between."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ClassifyRequest) and isinstance(other, ClassifyRequest):
        other = replace(other, x=one.x, y=one.y)
    if isinstance(one, OcclusionRequest) and isinstance(other, OcclusionRequest):
        other = replace(other, x=one.x, y=one.y, side=one.side)
    return one == replace(other, setup=replace(other.setup, revision=one.setup.revision))

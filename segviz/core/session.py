"""What is shown, as one frozen value, and the one place that changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from segviz.core import cams, convolution_lab, laboratory, learning, network_picture, sight
from segviz.core.choices import (
    ColourMap,
    CompareView,
    Device,
    FilterScale,
    Glow,
    MapOrder,
    MapPage,
    MapScale,
    MaskColours,
    Method,
    NetworkView,
    Palette,
    PatchSource,
    Pooling,
    TrainingPage,
    Upsampling,
    View,
)
from segviz.core.kept import Kept
from segviz.core.refinement import COLOUR, SMOOTHNESS, WIDTH
from segviz.core.specs import same_network

MOST_W_0, LEAST_SIGMA, MOST_SIGMA = 30.0, 0.5, 20.0  # of the weight map that is shown; sigma in pixels


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a layer."""

    channel: int
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class State:
    """A description of everything that is shown: names, paths and numbers, never arrays or widgets.

    A lesson step, a session file, a command line and a bug report are all a State.
    """

    image: str | None = None  # absolute path
    revision: int = 0  # of an image that is being drawn: counts how often its file was written anew
    model: str = ""  # model spec
    method: Method = Method.AUTO
    upsampling: Upsampling = Upsampling.BILINEAR
    pooling: Pooling = Pooling.AUTO
    scale: float | None = None  # None: the longest side that the catalogue recommends
    grid_stride: int | None = None  # of the sliding window; None: the network's own stride
    device: Device = Device.AUTO
    fast: bool = False  # arithmetic that is equal only to about 1e-5
    refine: bool = False  # labels follow edges of the image, by a dense CRF
    refine_width: float = WIDTH  # as `Refinement` has them
    refine_colour: float = COLOUR
    refine_smoothness: float = SMOOTHNESS
    layer: str | None = None
    unit: Unit | None = None
    glow: Glow = Glow.NONE  # what lights up in the pinned unit's field
    glow_images: int = 1  # images that its effective field is averaged over
    cursor: tuple[float, float] | None = None  # where the unit was pinned: (x, y) in image pixels
    window: tuple[float, float] | None = None  # left top corner, in pixel edges of the image, of the dragged window
    view: View = View.LABELS
    shown_class: int | None = None  # of the heatmap; None: the most probable class
    hidden: frozenset[int] = frozenset()
    solo: int | None = None
    opacity: float = 0.55  # of labels
    heat_opacity: float = 0.75
    minimum: float = 0.0  # confidence that a label needs to be painted
    heat_minimum: float = 0.0  # probability that a heatmap paints from
    truth: str | None = None  # absolute path of the mask that labels are scored against
    mask_colours: MaskColours = MaskColours.AUTO  # what its colours stand for
    ignored: int | None = None  # its label that does not count; None: 255, unless that is a class
    errors: bool = False  # whether right and wrong pixels lie over the image
    cell: tuple[int, int] | None = None  # of the confusion matrix: (true class, label) whose pixels are shown
    scores_large: bool = False  # whether table and matrix of the scores have the image's place
    palette: Palette = Palette.AUTO
    colour_map: ColourMap = ColourMap.MAGMA
    map_page: MapPage = MapPage.MAPS  # of the tab of feature maps
    map_order: MapOrder = MapOrder.INDEX
    map_scale: MapScale = MapScale.MAP
    map_channel: int | None = None  # the map that is looked at where no unit is pinned
    filter_scale: FilterScale = FilterScale.FILTER
    patch_source: PatchSource = PatchSource.SHIPPED
    tab: str = "feature-maps"
    kept: tuple[Kept, ...] = ()  # results that others are compared with
    compare: CompareView = CompareView.NONE
    compared: int = 0  # which of them
    curtain: float = 0.5  # where the curtain ends, in shares of the image's width
    upsampling_lab: laboratory.Laboratory = laboratory.USUAL
    sight: sight.Sight = sight.USUAL  # what is shown of receptive fields
    cams: cams.CamView = cams.USUAL  # what heatmaps show
    training_page: TrainingPage = TrainingPage.IMAGE
    train: learning.TrainRequest = learning.USUAL  # what the next run is asked for; files of runs are no part of it
    w_0: float = 10.0  # of U-Net's weight map w(x), as its paper has it
    sigma: float = 5.0  # pixels
    convolution_lab: convolution_lab.ConvolutionLab = convolution_lab.USUAL
    network_view: NetworkView = NetworkView.NONE  # what of the network has the canvas's place
    network_picture: network_picture.NetworkPicture = network_picture.WHOLE

    @property
    def looked_at(self) -> int | None:
        """The map that is looked at: the pinned unit's, else the one that was chosen; None where none was."""
        return self.unit.channel if self.unit is not None else self.map_channel


Listener = Callable[[State, State], None]


class Session:
    """Holds the State; `update` is the only way to change it, listeners hear (old, new).

    A change made by a listener while a change is being told is told after it, so that every
    listener sees all changes in the same order; one that fails keeps none from the others.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = state or State()
        self._listeners: list[Listener] = []
        self._pending: list[tuple[State, State]] = []
        self._telling = False

    @property
    def state(self) -> State:
        return self._state

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(old, new)` after every change; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def update(self, **changes: Any) -> None:
        """Change fields of the State. Unknown names raise TypeError: they are bugs."""
        old, new = self._state, replace(self._state, **settled(self._state, changes))
        if new == old:
            return
        self._state = new
        self._pending.append((old, new))
        if self._telling:
            return
        self._telling = True
        failure: Exception | None = None
        while self._pending:
            change = self._pending.pop(0)
            for listener in list(self._listeners):
                try:
                    listener(*change)
                except Exception as error:  # noqa: BLE001 - raised below, once everybody has heard everything
                    failure = failure or error
        self._telling = False
        if failure is not None:
            raise failure

    def replace(self, state: State) -> None:
        """Show another State as a whole: a session file, a lesson step."""
        self.update(**{f.name: getattr(state, f.name) for f in fields(State)})


def settled(state: State, changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` together with what they make meaningless: another network has other layers and classes.

    The same network, viewed otherwise (`specs.VIEWING`), keeps them. Another image keeps the layer but
    neither the pinned unit nor the grey square; a new revision of the same image keeps all three, since a person
    draws on while a unit is watched. Another layer has other maps and other input maps, but keeps the cursor, from
    which the unit follows. A mask is of one image, a cell of the confusion matrix of one mask and one network.
    """
    out = dict(changes)

    def changed(name: str) -> bool:
        return name in changes and changes[name] != getattr(state, name)

    if changed("model") and not same_network(state.model, changes["model"]):
        for name, value in NETWORK_DEFAULTS.items():
            out.setdefault(name, value)
    if out.get("layer", state.layer) != state.layer:
        out.setdefault("convolution_lab", replace(state.convolution_lab, channel=None))
    if changed("image"):
        out.setdefault("revision", 0)
        out.setdefault("unit", None)
        out.setdefault("cursor", None)
        out.setdefault("truth", None)
        out.setdefault("sight", replace(state.sight, square=None))
    if changed("layer"):
        out.setdefault("map_channel", None)
    if any(out.get(name, getattr(state, name)) != getattr(state, name) for name in MASK_FIELDS):
        out.setdefault("cell", None)
    return out


MASK_FIELDS = ("truth", "mask_colours", "ignored")  # what decides which class a pixel has

# What belongs to a network and means nothing to another.
NETWORK_DEFAULTS: dict[str, Any] = {
    "layer": None,
    "unit": None,
    "shown_class": None,
    "hidden": frozenset(),
    "solo": None,
    "scale": None,
    "grid_stride": None,
    "pooling": Pooling.AUTO,
    "method": Method.AUTO,
    "cell": None,
    "cams": cams.USUAL,
    "map_channel": None,
    "network_picture": network_picture.WHOLE,
}

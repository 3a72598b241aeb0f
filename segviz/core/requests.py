"""What the window and the command line ask of an engine, and what it answers: frozen values.

Asks are small and describe the work by names and paths. Answers carry the ask they belong to, so that a stale one can
be told from the newest; their arrays are read-only and crossed the process border through shared memory. Of each kind
of ask the newest wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segviz.core.cams import CamAnswer, CamRequest
from segviz.core.capabilities import Ability, Capability
from segviz.core.choices import Device, Equality, Method, Pooling, Task, Upsampling
from segviz.core.contributions import ContributionAnswer, ContributionRequest
from segviz.core.depths import DepthAnswer, DepthRequest
from segviz.core.effective import EffectiveField, EffectiveRequest
from segviz.core.entries import Entry
from segviz.core.field import Box, Geometry
from segviz.core.filters import FilterAnswer, FilterRequest
from segviz.core.frames import Frame, Lattice
from segviz.core.measured import MeasuredField, MeasureRequest
from segviz.core.occlusion import OcclusionAnswer, OcclusionRequest
from segviz.core.races import RaceRequest, RaceResult, RaceUpdate
from segviz.core.refinement import Labelling, Refinement
from segviz.core.shifting import ShiftAnswer, ShiftRequest
from segviz.core.sizes import SizesAnswer, SizesRequest
from segviz.core.top_patches import TopAnswer, TopRequest, TopUpdate
from segviz.core.unit_sums import SumAnswer, SumRequest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segviz.core.maps import MapStatistics

SMALLEST_SCALE, LARGEST_SCALE = 0.02, 8.0
STRIDED = (Method.SLIDING_WINDOW, Method.SHIFT_AND_STITCH, Method.DENSE)  # methods whose grid can be chosen


@dataclass(frozen=True, slots=True)
class Setup:
    """What every ask about a network at work has in common.

    `image` is a path or None; without one the network's native input size counts. `scale` resizes the image before
    the network sees it; None takes the longest side that the catalogue recommends. `revision` tells two asks apart
    whose file was written anew in between; the engine looks at the file. `fast` allows arithmetic that is equal only
    to about 1e-5 (Winograd). `trust` is the user's word, on the command line, that a program in a file may run.
    """

    model: str
    image: str | None = None
    scale: float | None = None
    pooling: Pooling = Pooling.AUTO
    device: Device = Device.AUTO
    revision: int = 0
    fast: bool = False
    trust: bool = False


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """Trace a network: its layers, cost and geometry on this input, without running it.

    `converted` asks for the fully convolutional form where there is one; `input_size` (C, H, W)
    replaces the size that the image would have.
    """

    setup: Setup
    converted: bool = True
    input_size: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """Scores and labels of an image. `grid_stride` is the step of a method's grid in network pixels.

    None is the network's own for a sliding window, and 1 for the methods that make a dense map.
    """

    setup: Setup
    method: Method = Method.AUTO
    upsampling: Upsampling = Upsampling.BILINEAR
    grid_stride: int | None = None
    region: tuple[int, int, int, int] | None = None  # x, y, width, height in image pixels
    refinement: Refinement | None = None  # of the labels, by a dense CRF


@dataclass(frozen=True, slots=True)
class KeptRequest(SegmentRequest):
    """The same for a result that is kept for comparison: it is asked beside the newest, and ends no run of it."""


@dataclass(frozen=True, slots=True)
class FeatureRequest:
    """The feature maps of one layer."""

    setup: Setup
    layer: str


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """The classes of one window of the network's native size, as the classifier was published (lecture T15).

    (`x`, `y`) is the window's left top corner in pixel edges of the image; the nearest of whole network pixels counts.
    """

    setup: Setup
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class ExamineRequest:
    """What can be done with a network, found out by trying it on its native input."""

    setup: Setup


Request = (
    DescribeRequest
    | SegmentRequest
    | KeptRequest
    | FeatureRequest
    | RaceRequest
    | ClassifyRequest
    | ExamineRequest
    | DepthRequest
    | OcclusionRequest
    | EffectiveRequest
    | MeasureRequest
    | CamRequest
    | FilterRequest
    | TopRequest
    | ContributionRequest
    | SumRequest
    | ShiftRequest
    | SizesRequest
)


# ------------------------------------------------------------------------------------ on the way


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `done` of `total` units of work (windows, tiles, layers); 0 of 0 while nobody can tell."""

    done: int
    total: int
    unit: str = ""

    @property
    def fraction(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0


@dataclass(frozen=True, eq=False)
class PartialLabels:
    """What a method has found so far: class indices on the grid, -1 where there is none yet.

    `confidence` (uint8, of the grid) is the probability of each label, 255 for 1.
    """

    labels: np.ndarray  # int16 (rows, columns)
    lattice: Lattice
    box: Box | None  # the newest window, image pixels
    progress: Progress
    confidence: np.ndarray | None = None


Update = Progress | PartialLabels | RaceUpdate | TopUpdate


# --------------------------------------------------------------------------------------- answers


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a traced network, a module that the user knows by `name`.

    `output_shape` is without the batch, as the network has it: (C, H, W), (H, W, C) with channels last, or
    (features,). `maps` are its feature maps in whatever layout: (channels, rows, columns). `size` and `stride`
    are (y, x) in input pixels, `start` is the centre (x, y) of unit 0; None where the field is not known.
    `parameters` of a leaf are its own, of a container those below it; `leaf` tells them apart.
    """

    name: str
    type: str
    depth: int
    leaf: bool
    output_shape: tuple[int, ...]
    maps: tuple[int, int, int]
    parameters: int
    macs: int
    size: tuple[float, float] | None
    stride: tuple[float, float] | None
    start: tuple[float, float] | None
    status: str = "exact"


@dataclass(frozen=True, slots=True)
class ConvertedLayer:
    """One step of making a classifier convolutional (lecture T17)."""

    layer: str
    before: str
    after: str


@dataclass(frozen=True)
class Network:
    """Answer to DescribeRequest. `layers` are in order of execution, containers before what they hold.

    `window` is (height, width) of a classifier's window in network pixels; None where a network answers per pixel.
    `decides` is why the image decides what the network does, so that its geometry is that image's alone; '' else.
    """

    request: DescribeRequest
    title: str
    task: Task
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    total_parameters: int
    trainable_parameters: int
    macs: int
    geometry: Geometry
    frame: Frame
    conversion: tuple[ConvertedLayer, ...] = ()
    notes: tuple[str, ...] = ()
    window: tuple[int, int] | None = None
    entry: Entry = field(kw_only=True)  # what is known of it now that it is open
    brought: Entry = field(kw_only=True)  # the same without what the spec says of viewing
    refusal: str = ""  # why it has no fully convolutional form, and is described as published
    decides: str = ""
    no_cam: str = ""  # why it has no class activation map

    def layer(self, name: str) -> Layer | None:
        return next((layer for layer in self.layers if layer.name == name), None)


@dataclass(frozen=True, slots=True)
class Exactness:
    """Whether a map equals the classifier on windows, by proof from the graph and by measurement.

    `margin` is how far from the image's border, in network pixels, a field may still reach over it. `deviation` is the
    largest difference of probabilities on `sample` windows, None where none was compared.
    """

    equality: Equality
    reason: str
    margin: int = 0
    deviation: float | None = None
    sample: int = 0

    @property
    def text(self) -> str:
        """In a sentence: 'exact everywhere: no padding ...; differs by 1e-06 at most on 16 windows'."""
        margin = f" ({self.margin} pixels from the border)" if self.equality is Equality.INTERIOR else ""
        measured = f"; differs by {self.deviation:.1g} at most on {self.sample} windows" if self.sample else ""
        return f"{self.equality.title.lower()}{margin}: {self.reason}{measured}"


@dataclass(frozen=True, eq=False)
class Prediction:
    """Answer to SegmentRequest. Logits stay on the network's grid; only labels reach the image's size.

    A network with one sigmoid output answers as two classes with logits (0, z), so that softmax is its sigmoid.
    `confidence` is the probability of the label, 255 for 1: the label's heatmap, upsampled. `region` is the part of
    the image that was asked for, or all of it. `seconds` is the whole run, reading and converting the network included
    where it was not kept; `layer_seconds` are those of the pass that made the logits, which may have been kept too.
    """

    request: SegmentRequest
    method: Method
    reason: str
    upsampling: Upsampling
    classes: tuple[str, ...]
    logits: np.ndarray  # float32 (classes, rows, columns)
    lattice: Lattice
    labels: np.ndarray  # uint8 or uint16 (H, W) of the image
    confidence: np.ndarray  # uint8 (H, W)
    shares: tuple[tuple[int, float], ...]  # (class index, share of the image), largest first
    levels: np.ndarray  # int64 (classes, 256): pixels of each label with each confidence
    region: Box
    scale: float
    seconds: float
    device: str
    notes: tuple[str, ...] = ()
    layer_seconds: tuple[tuple[str, float], ...] = ()
    exactness: Exactness | None = None  # None for a network that has no window to compare with
    twin: Labelling | None = None  # the labels without refinement where they are refined, else with it, once known


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """Answer to FeatureRequest: maps, and what is known of each."""

    request: FeatureRequest
    layer: str
    statistics: MapStatistics
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def values(self) -> npt.NDArray[np.float32]:
        """The maps (C, H, W)."""
        return self.statistics.values


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """Answer to ClassifyRequest: what the classifier says of exactly the pixels in `box` (image pixels)."""

    request: ClassifyRequest
    box: Box
    classes: tuple[tuple[int, str, float], ...]  # (index, name, probability) of the five most probable
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Badge:
    """Answer to ExamineRequest: one capability for each `Ability`, in their order."""

    request: ExamineRequest
    capabilities: tuple[Capability, ...]
    seconds: float
    notes: tuple[str, ...] = ()

    def of(self, ability: Ability) -> Capability:
        return next(found for found in self.capabilities if found.ability is ability)


Answer = (
    Network
    | Prediction
    | FeatureMaps
    | RaceResult
    | WindowAnswer
    | Badge
    | DepthAnswer
    | OcclusionAnswer
    | EffectiveField
    | MeasuredField
    | FilterAnswer
    | CamAnswer
    | TopAnswer
    | ContributionAnswer
    | SumAnswer
    | ShiftAnswer
    | SizesAnswer
)

"""Scenes with real values, built by hand: no engine, no torch."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from segviz.core import energy, scores
from segviz.core.agreement import agree, completed
from segviz.core.cams import CamAnswer, CamRequest, CamView
from segviz.core.catalogue import entry
from segviz.core.choices import Area, Glow, Heat, MapPage, Method, Task, Upsampling, View
from segviz.core.contributions import Contribution, ContributionAnswer, ContributionRequest
from segviz.core.depths import DepthAnswer, DepthRequest, Depths, LearnedKernel
from segviz.core.effective import EffectiveField, EffectiveRequest
from segviz.core.field import Box, Geometry, Node, Status
from segviz.core.filters import Filter, FilterAnswer, FilterKind, FilterRequest
from segviz.core.frames import Frame, Lattice
from segviz.core.images import Picture
from segviz.core.laboratory import Kernel, Laboratory, Page, Source
from segviz.core.learning import TrainingProgress, TrainingResult, TrainingSamples, TrainRequest
from segviz.core.maps import MapStatistics
from segviz.core.masks import Mask
from segviz.core.measured import By, MeasuredField, MeasureRequest
from segviz.core.occlusion import OcclusionAnswer, OcclusionRequest, covered
from segviz.core.planning import plan_cams, plan_effective, plan_patches
from segviz.core.races import FieldCheck, Lane, RaceRequest, RaceResult, RaceUpdate, StrideSpeed
from segviz.core.regions import projective
from segviz.core.requests import (
    ClassifyRequest,
    ConvertedLayer,
    DescribeRequest,
    FeatureMaps,
    FeatureRequest,
    Layer,
    Network,
    PartialLabels,
    Prediction,
    Progress,
    SegmentRequest,
    Setup,
    WindowAnswer,
)
from segviz.core.session import State, Unit
from segviz.core.steps import IDENTITY, Resize, Step, Taps, Transposed, Window
from segviz.core.top_patches import TopAnswer, TopPatch, TopRequest
from segviz.core.upsamplers import bilinear_kernel
from segviz.gui.runs import Phase, Run, Training
from segviz.gui.scene import EngineStatus, Job, Kind, Message, Scene

HEIGHT, WIDTH = 96, 128
TRUTH = "/pictures/page_mask.png"
PAGE, BIG = "/pictures/page.png", "/pictures/big.png"
STEPS = {  # name: (window, maps, parameters, macs of one unit)
    "c1": (Window(5), 6, 156, 150),
    "s2": (Window(2, 2), 6, 0, 0),
    "c3": (Window(5), 16, 2_416, 2_400),
    "s4": (Window(2, 2), 16, 0, 0),
    "c5": (Window(5), 120, 48_120, 48_000),
    "f6": (Window(), 84, 10_164, 10_080),
    "output": (Window(), 10, 850, 840),
}
CONVERSION = (
    ConvertedLayer("c5", "dense 400 to 120", "convolution 5x5, 16 to 120"),
    ConvertedLayer("f6", "dense 120 to 84", "convolution 1x1, 120 to 84"),
    ConvertedLayer("output", "dense 84 to 10", "convolution 1x1, 84 to 10"),
)


def picture(height: int = HEIGHT, width: int = WIDTH) -> Picture:
    """A gradient with a bright square off centre, so that flips and shifts show."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 200, width).astype(np.uint8)
    pixels[..., 1] = np.linspace(0, 200, height).astype(np.uint8)[:, None]
    pixels[height // 5 : height // 3, width // 5 : width // 3] = (250, 240, 20)
    return Picture(PAGE, pixels, "grey")  # said to be, so that LeNet-5 has nothing to remark


def chain(height: int, width: int, steps: dict[str, tuple[Window, int, int, int]], last: str) -> Geometry:
    nodes = [Node((), IDENTITY, IDENTITY, height, width)]
    for at, (window, *_) in enumerate(steps.values()):
        below = nodes[-1]
        reach = window.dilation * (window.kernel - 1) + 1
        rows = (below.height + 2 * window.before - reach) // window.stride + 1
        columns = (below.width + 2 * window.before - reach) // window.stride + 1
        nodes.append(Node((at,), window, window, rows, columns))
    names = tuple((name, at + 1) for at, name in enumerate(steps))
    return Geometry(height, width, tuple(nodes), names, last)


def layers(geometry: Geometry, steps: dict[str, tuple[Window, int, int, int]]) -> tuple[Layer, ...]:
    found = []
    for name, (_, maps, parameters, macs) in steps.items():
        rows, columns = geometry.grid(name)
        y, x = geometry.laws(name)
        box = geometry.field(name, 0, 0).box
        found.append(
            Layer(
                name, "Conv2d", name.count("."), True, *2 * ((maps, rows, columns),), parameters, macs * rows * columns,
                (box.height, box.width), (y.stride, x.stride), (x.start, y.start),
            )
        )  # fmt: skip
    return tuple(found)


def channels_last(network: Network, name: str) -> Network:
    """The same with a layer whose author has its channels last."""
    laid = [
        replace(layer, output_shape=(*layer.maps[1:], layer.maps[0])) if layer.name == name else layer
        for layer in network.layers
    ]
    return replace(network, layers=tuple(laid))


def setup(**changes: Any) -> Setup:
    return replace(Setup("lenet5", PAGE), **changes)


def lenet(height: int = HEIGHT, width: int = WIDTH, classes: tuple[str, ...] = tuple("0123456789")) -> Network:
    geometry = chain(height, width, STEPS, "output")
    found = layers(geometry, STEPS)
    return Network(
        DescribeRequest(setup()), "LeNet-5", Task.CLASSIFICATION, classes, (1, height, width), found,
        61_706, 61_706, sum(layer.macs for layer in found), geometry,
        Frame((height, width), (height, width), (height, width)), CONVERSION, window=(32, 32),
        entry=entry("lenet5"), brought=entry("lenet5"),
    )  # fmt: skip


DEEP = {
    "stem": (Window(3, 2, before=1), 32, 864, 864),
    "blocks.0.dw": (Window(3, before=1), 32, 288, 288),
    "blocks.0.project": (Window(), 16, 512, 512),
    "blocks.1.expand": (Window(), 96, 1_536, 1_536),
    "blocks.1.dw": (Window(3, 2, before=1), 96, 864, 864),
    "blocks.1.project": (Window(), 24, 2_304, 2_304),
    "blocks.2.expand": (Window(), 144, 3_456, 3_456),
    "blocks.2.dw": (Window(5, 2, before=2), 144, 3_600, 3_600),
    "blocks.2.project": (Window(), 40, 5_760, 5_760),
    "head": (Window(), 1280, 51_200, 51_200),
    "fc": (Window(), 1000, 1_281_000, 1_280_000),
}


def uneven() -> Network:
    """LeNet-5 whose answer of 17 x 25 units is resized to a unit every 1.5 pixels, about."""
    network = lenet()
    made = len(network.geometry.nodes)
    resized = Node((made - 1,), Resize(Taps.BILINEAR, 17, 45), Resize(Taps.BILINEAR, 25, 67), 45, 67)
    geometry = replace(
        network.geometry,
        nodes=(*network.geometry.nodes, resized),
        layers=(*network.geometry.layers, ("resized", made)),
        last="resized",
    )
    return replace(network, geometry=geometry)


def deep(height: int = 480, width: int = 640, zoom: int = 2) -> Network:
    """Blocks in a container, 1,000 classes with long names, an image twice as large as the network's input."""
    flat = chain(height, width, DEEP, "fc")
    index = dict(flat.layers)
    blocks = {"blocks.0": "blocks.0.project", "blocks.1": "blocks.1.project", "blocks.2": "blocks.2.project"}
    named = (*flat.layers, *((name, index[end]) for name, end in blocks.items()), ("blocks", index["blocks.2.project"]))
    geometry = replace(flat, layers=named)
    leaves = {layer.name: layer for layer in layers(geometry, DEEP)}
    order: list[Layer] = []
    for name, layer in leaves.items():
        for container, end in (("blocks", "blocks.2.project"), *blocks.items()):
            if name.startswith(container + ".") and container not in {row.name for row in order}:
                inside = [leaf for leaf in leaves.values() if leaf.name.startswith(container + ".")]
                order.append(
                    replace(
                        leaves[end], name=container, type="Bottleneck" if "." in container else "Sequential",
                        depth=container.count("."), leaf=False, parameters=sum(leaf.parameters for leaf in inside),
                        macs=sum(leaf.macs for leaf in inside),
                    )
                )  # fmt: skip
        order.append(layer)
    names = tuple(
        f"class {i}" if i % 7 else f"class {i}, a very long name, with synonyms, that goes on" for i in range(1000)
    )
    return Network(
        DescribeRequest(setup(model="deep")), "Deep", Task.CLASSIFICATION, names, (3, height, width), tuple(order),
        4_652_008, 4_652_008, sum(layer.macs for layer in leaves.values()), geometry,
        Frame((height * zoom, width * zoom), (height, width), (height, width)), window=(224, 224),
        entry=entry("efficientnet_lite0"), brought=entry("efficientnet_lite0"),
    )  # fmt: skip


def skipping(height: int, width: int) -> Network:
    """A small FCN-8s, on an image twice as large: scores of strides 32, 16 and 8 are added and upsampled to pixels."""
    chained = {
        "conv1": Window(3, before=1), "pool1": Window(2, 2), "conv2": Window(3, before=1), "pool2": Window(2, 2),
        "conv3": Window(3, before=1), "pool3": Window(2, 2), "conv4": Window(3, before=1), "pool4": Window(2, 2),
        "conv5": Window(3, before=1), "pool5": Window(2, 2), "score_fr": Window(7, before=3),
    }  # fmt: skip
    flat = chain(
        height // 32 * 32, width // 32 * 32, {name: (step, 1, 0, 0) for name, step in chained.items()}, "output"
    )
    nodes, index = list(flat.nodes), dict(flat.layers)

    def add(name: str, inputs: tuple[int, ...], step: Step, times: int = 1) -> int:
        below = nodes[inputs[0]]
        nodes.append(Node(inputs, step, step, below.height * times, below.width * times))
        index[name] = len(nodes) - 1
        return len(nodes) - 1

    score = index["score_fr"]
    for pool in ("pool4", "pool3"):
        twice = add(f"upscore_{pool}", (score,), Transposed(4, 2, padding=1), 2)
        skip = add(f"score_{pool}", (index[pool],), IDENTITY)
        score = add(f"sum_{pool}", (twice, skip), IDENTITY)
    add("output", (score,), Transposed(16, 8, padding=4), 8)
    geometry = replace(flat, nodes=tuple(nodes), layers=tuple(index.items()))
    shown = {name: (Window(), 7, 0, 0) for name in index}
    size = (geometry.height, geometry.width)
    frame = Frame((height * 2, width * 2), (height, width), size)
    return replace(
        deep(height, width), request=DescribeRequest(setup(model=FCN)), title="FCN-8s", task=Task.SEGMENTATION,
        classes=tuple("abcdefg"), layers=layers(geometry, shown), geometry=geometry, frame=frame,
        input_shape=(3, *size), window=None, entry=entry(FCN), brought=entry(FCN),
    )  # fmt: skip


def occlusion(request: OcclusionRequest, network: Network | None = None) -> OcclusionAnswer:
    """What a square changes: all of its projective field, most in the middle."""
    network = network or lenet()
    square = covered(network.frame, request.x, request.y, request.side)
    reach = projective(network.geometry, "last", square)
    assert reach is not None
    change = np.zeros(network.geometry.grid("last"), np.float32)
    rows, columns = (np.hanning(size + 2)[1:-1] for size in reach.shape)
    change[reach.y.lo : reach.y.hi + 1, reach.x.lo : reach.x.hi + 1] = rows[:, None] * columns
    y, x = network.geometry.laws("last")
    lattice, classes = network.frame.lattice(*change.shape, y, x), network.classes
    return OcclusionAnswer(request, change, 1e-3, lattice, (3, classes[3]), 0.81, 0.12, (7, classes[7]), 0.03)


def logits_for(network: Network, seed: int = 0) -> np.ndarray:
    """Smooth logits: every class is a bump somewhere, so that labels form regions."""
    rows, columns = network.geometry.grid("last")
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns]
    planes = []
    for index in range(len(network.classes)):
        cy, cx = random.random(2) * (rows, columns)
        reach = max(rows, columns) / 4
        height = 6.0 if index < 8 else 1.0
        planes.append(height * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * reach**2)))
    return np.asarray(planes, np.float32)


def prediction(network: Network | None = None, model: str = "lenet5", image: str = PAGE) -> Prediction:
    network = network or lenet()
    y, x = network.geometry.laws("last")
    logits = logits_for(network)
    lattice = network.frame.lattice(logits.shape[1], logits.shape[2], y, x)
    height, width = network.frame.image
    small = logits.argmax(0)
    rows = np.clip(np.rint((np.arange(height) - lattice.start[1]) / lattice.stride[1]), 0, lattice.rows - 1).astype(int)
    columns = np.clip(np.rint((np.arange(width) - lattice.start[0]) / lattice.stride[0]), 0, lattice.columns - 1)
    labels = small[rows][:, columns.astype(int)].astype(np.uint16)
    confidence = np.full(labels.shape, 200, np.uint8)
    levels = scores.levels(labels, confidence, len(network.classes))
    leaves = [layer.name for layer in network.layers if layer.leaf]
    return Prediction(
        request=SegmentRequest(setup(model=model, image=image)), method=Method.UPSAMPLED, reason="",
        upsampling=Upsampling.BILINEAR,
        classes=network.classes, logits=logits, lattice=lattice, labels=labels,
        confidence=confidence, shares=scores.shares(levels), levels=levels, region=Box(0, 0, width, height),
        scale=1.0, seconds=0.214, device="CPU, 2 threads",
        layer_seconds=tuple((name, 0.01 * (i + 1)) for i, name in enumerate(leaves)),
    )  # fmt: skip


def features(
    network: Network | None = None, layer: str = "c3", model: str = "lenet5", image: str = PAGE
) -> FeatureMaps:
    """Random smooth maps; map 2 is dead (all zero)."""
    network = network or lenet()
    channels, rows, columns = network.layer(layer).output_shape
    random = np.random.default_rng(3)
    y, x = np.mgrid[0:rows, 0:columns]
    waves = [
        np.sin(x / columns * random.uniform(2, 20) + random.uniform(0, 6)) * np.cos(y / rows * random.uniform(2, 20))
        for _ in range(channels)
    ]
    values = np.asarray(waves, np.float32) + random.normal(0, 0.2, (channels, rows, columns)).astype(np.float32)
    if channels > 2:
        values[2] = 0
    return FeatureMaps(FeatureRequest(setup(model=model, image=image), layer), layer, MapStatistics.of(values), 0.031)


def race(exact: bool = True, extrapolated: bool = False) -> RaceResult:
    network = lenet()
    y, x = network.geometry.laws("last")
    lattice = network.frame.lattice(17, 25, y, x)
    dense = logits_for(network).argmax(0).astype(np.int16)
    sliding = dense.copy()
    difference = np.full((17, 25), 2e-6, np.float32)
    if not exact:
        sliding[:, ::2] = (sliding[:, ::2] + 1) % 10
        difference[:, ::2] = 0.4
    if extrapolated:
        sliding[9:] = -1
        difference[9:] = np.nan
    return RaceResult(
        request=RaceRequest(setup()),
        sliding_window=Lane(1.7, 425, extrapolated, 176_800_000, batch=256, measured=225 if extrapolated else 425),
        one_by_one=Lane(13.6, 425, True, 176_800_000, batch=1, measured=40),
        fully_convolutional=Lane(0.05, 425, False, 26_400_000, batch=1, measured=425),
        max_abs_difference=float(np.nanmax(difference)), label_agreement=float((sliding == dense)[sliding >= 0].mean()),
        center_offset=(0.0, 0.0), exact=exact,
        reason="no padding and no ceil mode anywhere" if exact else "13 padded convolutions",
        lattice=lattice, window=(32, 32), classes=network.classes, sliding_labels=sliding, dense_labels=dense,
        difference=difference,
        field_check=None if exact else FieldCheck((404, 404), 4, 1.4e-5),
        by_stride=tuple(StrideSpeed(4 * k, n, 34 * n / 425) for k, n in ((1, 425), (2, 117), (4, 35), (8, 12))),
    )  # fmt: skip


def race_updates(done: int = 200) -> tuple[RaceUpdate, ...]:
    result = race()
    flat = np.full(425, -1, np.int16)
    flat[:done] = result.sliding_labels.reshape(-1)[:done]
    box = Box(40, 20, 72, 52)
    return (
        RaceUpdate(
            "sliding_window", 0.8,
            PartialLabels(flat.reshape(17, 25), result.lattice, box, Progress(done, 425, "windows")),
        ),
        RaceUpdate(
            "fully_convolutional", 0.05,
            PartialLabels(result.dense_labels, result.lattice, None, Progress(425, 425, "cells")),
        ),
    )  # fmt: skip


def window_answer(request: ClassifyRequest, network: Network | None = None) -> WindowAnswer:
    """Five classes, whose order tells where the window is."""
    network = network or lenet()
    first = round(request.x) % len(network.classes)
    names = network.classes
    best = [(first + k) % len(names) for k in range(5)]
    found = tuple((i, names[i], p) for i, p in zip(best, (0.82, 0.11, 0.04, 0.02, 0.004), strict=True))
    assert network.window is not None
    return WindowAnswer(request, network.frame.window_box(network.window, request.x, request.y), found, 0.004)


def a_filter(inputs: int = 6, channels: int = 16, channel: int = 0, side: int = 5, planes: int = 0) -> Filter:
    """A filter of smooth slices; of a layer whose filters are pictures of `planes` each, where there are any."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j] if side > 1 else np.zeros((2, 1, 1))

    def made(count: int) -> np.ndarray:
        turns = random.uniform(0, 6, (count, 1, 1))
        return np.asarray(np.sin(3 * (x * np.cos(turns) + y * np.sin(turns)) + turns) * 0.4, np.float32)

    pictures = made(channels * planes).reshape(channels, planes, side, side) if planes else None
    slices = pictures[channel] if pictures is not None else made(inputs)
    return Filter(
        FilterKind.CONVOLUTION, channels, channel, planes or inputs, 0, 1, (1, 1), (1, 1), 0.12, 0.4, slices, pictures
    )


def filters(scene: Scene, found: Filter | None = None, refusal: str = "", maker: str = "") -> Scene:
    """The page of filters of `scene`'s layer."""
    state = replace(scene.state, tab="feature-maps", map_page=MapPage.FILTERS)
    asked = FilterRequest(setup(model=state.model, image=None), state.layer or "", state.looked_at or 0)
    answer = FilterAnswer(asked, state.layer or "", found, 0.001, refusal, maker)
    return replace(scene, state=state, filters=answer)


FCN = "fcn8s-efficientnet_lite0"
FCN_CLASSES = ("background", "mammal", "bird", "insect", "fish", "fruit", "flower")


SCORES = {"score_fr": 3.5, "score_pool4": -1.25, "score_pool3": 0.5}  # what the paths of `skipping` add


def contributions(
    request: ContributionRequest, network: Network | None = None, bias: float = 0.0
) -> ContributionAnswer:
    """What each path of an FCN-8s adds to a score; of LeNet-5, which has none, a refusal."""
    index = dict(network.geometry.layers) if network is not None else {}
    parts = tuple(Contribution(name, index[name], value) for name, value in SCORES.items() if name in index)
    refusal = "" if parts else "LeNet-5: one path alone leads to its scores: there is nothing to tell apart"
    return ContributionAnswer(request, parts, bias, bias + sum(part.value for part in parts), 0.01, refusal)


def effective(network: Network, request: EffectiveRequest, dead: bool = False) -> EffectiveField:
    """A leaning hill of gradients, signed at random, in the field of the unit that is asked for."""
    geometry = network.geometry
    box = geometry.field(request.layer, request.row, request.column).box.clipped(geometry.width, geometry.height)
    rows, columns = int(box.height), int(box.width)
    y, x = np.mgrid[:rows, :columns]
    across, down = (x - columns * 0.55) / (columns / 5), (y - rows * 0.45) / (rows / 7)
    hill = np.exp(-(across**2 + down**2 - across * down) / 2).astype(np.float32)
    signs = np.random.default_rng(0).normal(size=(network.input_shape[0], rows, columns)).astype(np.float32)
    came = signs * hill * (not dead)
    values = energy.energy(came)
    single = request.images == 1
    return EffectiveField(
        request, request.layer, request.channel or 0, 0.0 if dead else 1.25, network.frame, box, values,
        came if single else None, energy.glow(values), energy.picture(came) if single else None,
        energy.ellipses(values, box.left, box.top), energy.spread(values), request.images, 0.2,
        notes=("nothing comes back to the pixels",) if dead else (),
    )  # fmt: skip


def lost(network: Network, layer: str, reason: str = "the operation 'odd' has no rule") -> Network:
    """The same with an operation in a layer that nobody knows."""
    geometry = network.geometry
    at = geometry.index(layer)
    nodes = (*geometry.nodes[:at], replace(geometry.nodes[at], reason=reason), *geometry.nodes[at + 1 :])
    return replace(network, geometry=Geometry(geometry.height, geometry.width, nodes, geometry.layers, geometry.last))


def measured(network: Network, request: MeasureRequest, box: Box | None, refusal: str = "") -> MeasuredField:
    """What gradients say of a unit: that they came to `box`."""
    return MeasuredField(request, request.layer, box, By.BOTH, network.frame, 0.1, (), refusal)


def glowing(scene: Scene, glow: Glow = Glow.EFFECTIVE, images: int = 1, dead: bool = False) -> Scene:
    """The pinned unit of a scene with what it looks at."""
    state = replace(scene.state, glow=glow, glow_images=images)
    request = plan_effective(state)
    assert request is not None
    assert scene.network is not None
    return replace(scene, state=state, effective=effective(scene.network, request, dead))


def cam_answer(request: CamRequest | None = None, network: Network | None = None, layer: str = "c3") -> CamAnswer:
    """What speaks for ten classes in a layer: a few units for each class, and against it others."""
    request, network = request or CamRequest(setup(), layer=layer), network or lenet()
    name = request.layer if request.heat is Heat.GRAD_CAM else network.layers[-2].name
    rows, columns = network.geometry.grid(name)
    count = 10
    maps = np.zeros((count, rows, columns), np.float32)
    for index in range(count - 1):  # nothing speaks for the last
        maps[index, min(2 + index, rows - 1), min(3 + index, columns - 1)] = 1 + index / 2
        maps[index, max(0, rows - 3), max(0, columns - 3 - index)] = -0.5
    lattice = network.frame.lattice(rows, columns, *network.geometry.laws(name))
    area = Area.UNIT if request.point else Area.IMAGE
    return CamAnswer(
        request, name, area, tuple(range(count)), network.classes[:count], tuple(float(5 - i) for i in range(count)),
        (425,) * count, maps, np.ones((count, 16), np.float32), ("",) * (count - 1) + ("gradient 0",), lattice, 0.2,
    )  # fmt: skip


def top_answer(request: TopRequest | None = None, images: int = 20) -> TopAnswer:
    """Crops of a gradient, lighter the stronger they are; the last lies half outside its image."""
    request = request or plan_patches(top_state())
    assert request is not None
    ramp = np.linspace(0, 120, 14).astype(np.uint8)
    patches = []
    for at in range(min(9, images)):
        crop = np.repeat((ramp[None, :, None] + ramp[:, None, None] + 14 - at).astype(np.uint8), 3, 2)
        box = Box(6 * at, 4, 6 * at + 14, 18) if at < 8 else Box(-7, 4, 7, 18)
        place = f"/pictures/photograph-{at}.png" if at else PAGE
        patches.append(TopPatch(place, 9 - at / 2, 2, 3 * at, box, Status.EXACT, (96, 64), box.center, crop))
    return TopAnswer(request, tuple(patches), images, 20, 2 if images == 20 else 0, 1.2)


def top_state() -> State:
    whole = full().state
    return replace(whole, tab="feature-maps", layer="c3", map_page=MapPage.PATCHES, unit=Unit(5, 2, 0))


def top(images: int = 20, **changes: Any) -> Scene:
    """The page of patches, looked through so many images."""
    return replace(full(), state=top_state(), top=top_answer(images=images), **changes)


def evidence(heat: Heat = Heat.GRAD_CAM, layer: str = "c3", **changes: Any) -> Scene:
    """The heatmaps' tab with what speaks for classes at a layer."""
    whole = full()
    state = replace(whole.state, tab="heatmaps", layer=layer, view=View.HEATMAP, shown_class=3)
    state = replace(state, cams=CamView(heat, **changes))
    wanted = plan_cams(state)
    assert wanted is not None
    return replace(whole, state=state, cams=cam_answer(wanted))


def depth_answer(height: int = HEIGHT, width: int = WIDTH, model: str = FCN, image: str | None = PAGE) -> DepthAnswer:
    """Scores of an FCN-8s of seven classes: discs, coarse in the deep maps and with an edge in the shallow one."""
    count, stride = len(FCN_CLASSES), 8
    rows, columns = -(-height // stride), -(-width // stride)
    y, x = np.mgrid[0:rows, 0:columns]
    maps = []
    for coarse, strength in ((4, 6.0), (2, 3.0), (1, 3.0)):
        scores_of = np.zeros((count, rows, columns), np.float32)
        scores_of[0] = strength / 2
        for index, (cy, cx) in ((1, (0.45, 0.3)), (5, (0.55, 0.7))):
            near = (
                np.hypot((y // coarse + 0.5) * coarse / rows - cy, (x // coarse + 0.5) * coarse / columns - cx) < 0.22
            )
            scores_of[index] = near * strength
        maps.append(scores_of)
    kernel = np.zeros((count, count, 16, 16), np.float32)
    kernel[range(count), range(count)] = bilinear_kernel(stride)
    found = Depths(
        FCN_CLASSES, ("score_fr", "score_pool4", "score_pool3"), (32, 16, 8), tuple(maps), kernel, stride, (4, 4),
        (rows * stride, columns * stride), Lattice(height, width, (0.0, 0.0), (1.0, 1.0)),
    )  # fmt: skip
    learned = tuple(
        LearnedKernel(name, factor, np.stack([bilinear_kernel(factor, True)] * count).astype(np.float32), False)
        for name, factor in (("upscore2", 2), ("upscore8", 8))
    )
    return DepthAnswer(DepthRequest(setup(model=model, image=image), True), learned, found, 0.4)


def fcn(page: Page = Page.SKIPS, **changes: Any) -> Scene:
    """The page with an FCN-8s open, its depths scored."""
    state = State(image=PAGE, model=FCN, tab="upsampling", upsampling_lab=Laboratory(page, **changes))
    return Scene(
        state=state, picture=picture(), depths=depth_answer(), engine=EngineStatus.READY, device="CPU, 2 threads"
    )


def laboratory(page: Page = Page.WAYS, method: Method = Method.UPSAMPLED, **changes: Any) -> Scene:
    """The upsampling tab with LeNet-5 on the page of digits; a dense map where the method makes one."""
    whole = full()
    state = replace(whole.state, tab="upsampling", upsampling_lab=Laboratory(page, **changes))
    assert whole.prediction is not None
    asked = replace(whole.prediction.request, method=method)
    found = replace(whole.prediction, method=method, request=asked)
    return replace(whole, state=state, prediction=dense(found) if method is not Method.UPSAMPLED else found)


def dense(found: Prediction) -> Prediction:
    """The same with a unit at every pixel, by repeating units: what fills which pixel is all that is looked at."""
    logits = found.logits.repeat(4, 1).repeat(4, 2)[:, :65, :97]
    return replace(found, logits=logits, lattice=Lattice(65, 97, found.lattice.start, (1.0, 1.0)))


def full(**changes: Any) -> Scene:
    """Everything there is: picture, LeNet-5, prediction, feature maps of c3, a pinned unit."""
    return replace(_full(), **changes)


@cache
def _full() -> Scene:
    network = lenet()
    state = State(image=PAGE, model="lenet5", layer="c3", unit=Unit(4, 10, 20), cursor=(47.0, 27.0))
    return Scene(
        state=state, picture=picture(), network=network, prediction=prediction(network), features=features(network),
        engine=EngineStatus.READY, device="CPU, 2 threads",
    )  # fmt: skip


def scored(scene: Scene | None = None, names: tuple[str, ...] = (), shift: int = 9, **changes: Any) -> Scene:
    """A scene on the tab of scores: the truth is what the labels are, moved to the right; at the top nobody knows."""
    scene = scene or full()
    found = scene.prediction
    assert found is not None
    labels = np.roll(found.labels, shift, axis=1).astype(np.int32)
    labels[: len(labels) // 12] = -1
    mask = Mask(TRUTH, labels, "indexed", names)
    state = replace(scene.state, **{"truth": TRUTH, "tab": "scores"} | changes)
    return replace(scene, state=state, truth=mask, agreement=completed(agree(mask, found)))


def deep_full(**changes: Any) -> Scene:
    """1,000 classes with long names on a 960 x 1280 picture."""
    return replace(_deep_full(), **changes)


@cache
def _deep_full() -> Scene:
    network = deep()
    state = State(image=BIG, model="deep", layer="blocks.2", unit=Unit(17, 20, 30), cursor=(490.0, 330.0))
    return Scene(
        state=state, picture=picture(960, 1280), network=network, prediction=prediction(network, "deep", BIG),
        features=features(network, "blocks.2", "deep", BIG), engine=EngineStatus.READY, device="CPU, 2 threads",
    )  # fmt: skip


def everything() -> dict[str, Scene]:
    """Every kind of scene that a panel must survive."""
    whole = full()
    tiny = lenet(32, 32)
    return {
        "nothing": Scene(State()),
        "picture only": Scene(State(image=PAGE), picture=picture()),
        "network only": Scene(State(model="lenet5"), network=lenet()),
        "full": whole,
        "window": replace(
            whole,
            state=replace(whole.state, window=(40.0, 20.0)),
            window=window_answer(ClassifyRequest(setup(), 40, 20)),
        ),
        "glowing": glowing(whole),
        "nothing comes back": glowing(whole, dead=True),
        "window outside": replace(whole, state=replace(whole.state, window=(-900.0, 9e9))),
        "older prediction": replace(whole, state=replace(whole.state, model="other"), network=deep()),
        "stale features": replace(
            whole, state=replace(whole.state, layer="c1", unit=Unit(0, 1, 1)), jobs=(Job(Kind.FEATURES),)
        ),
        "unit outside": replace(whole, state=replace(whole.state, unit=Unit(99, 500, 500))),
        "unknown layer": replace(whole, state=replace(whole.state, layer="gone")),
        "one pixel": Scene(
            State(image="/p.png", model="lenet5", layer="output", unit=Unit(0, 0, 0), cursor=(0.0, 0.0)),
            picture=picture(1, 1),
            network=replace(tiny, frame=Frame((1, 1), (1, 1), (32, 32))),
        ),
        "thousand classes": deep_full(),
        "ground truth": Scene(State(image=PAGE, truth=TRUTH), picture=picture()),
        "scored": scored(errors=True),
        "cell of the matrix": scored(cell=(0, 1)),
        "no such cell": scored(cell=(7, 99)),
        "scored, thousand classes": scored(deep_full(), shift=40),
        "scored by name": scored(names=(*"012345678", "blot"), shift=0),
        "cannot be scored": replace(
            scored(), agreement=None, unscored="page_mask.png: the ground truth has the label 20"
        ),
        "solo and hidden": replace(whole, state=replace(whole.state, solo=3, hidden=frozenset({1, 2}))),
        "not finite": replace(
            whole, features=replace(whole.features, statistics=MapStatistics.of(whole.features.values * np.nan))
        ),
        "racing": replace(whole, race_updates=race_updates(), jobs=(Job(Kind.RACE, Progress(200, 425)),)),
        "raced": replace(whole, race=race()),
        "raced, extrapolated": replace(whole, race=race(extrapolated=True)),
        "raced, not equal": replace(whole, race=race(exact=False)),
        "heatmaps, Grad-CAM": evidence(),
        "patches": top(),
        "patches, stopped": top(4),
        "patches, none": replace(top(), top=None),
        "heatmaps, CAM signed": evidence(Heat.CAM, signed=True),
        "heatmaps, computing Grad-CAM": replace(evidence(), cams=None, jobs=(Job(Kind.CAMS, Progress(3, 9)),)),
        "upsampling": laboratory(),
        "upsampling, feature": laboratory(source=Source.FEATURE, side=8, factor=8, kernel=Kernel.UNEVEN),
        "upsampling, edited": laboratory(kernel=Kernel.EDITED, factor=4),
        "upsampling, learned": laboratory(kernel=Kernel.LEARNED),
        "upsampling, insertion": laboratory(Page.INSERTION),
        "upsampling, skips": fcn(),
        "upsampling, depths": fcn(Page.DEPTHS),
        "upsampling, no depths": laboratory(Page.SKIPS),
        "upsampling, direct": laboratory(Page.DIRECT),
        "upsampling, dense": laboratory(Page.SHIFTS, Method.DENSE),
        "upsampling, image": laboratory(image=True),
        "filters": filters(whole, a_filter()),
        "filters, pictures": filters(whole, a_filter(planes=3)),
        "filters, none": filters(whole, None, "s2 has no weights: AvgPool2d computes without any", "c1"),
        "filters, no maps": replace(filters(whole, a_filter(planes=1)), features=None),
        "filters, one weight": filters(deep_full(), a_filter(1280, 1000, side=1)),
        "filters, not read": replace(filters(whole), filters=None, jobs=(Job(Kind.FILTERS),)),
        "failed": replace(whole, message=Message("engine stopped", about=Kind.FEATURES), features=None),
    }


def train_request(**changes: Any) -> TrainRequest:
    asked = TrainRequest("digits-fcn", quick=True, out="/runs/digits-fcn.safetensors", checkpoint="/runs/a.checkpoint")
    return replace(asked, **changes)


def learning(steps: int = 120, speed: float = 0.03, total: int = 200) -> tuple[TrainingProgress, ...]:
    """Curves of a run that learns, tested every 40 steps."""
    out = []
    for step in range(1, steps + 1):
        fallen, tested = float(np.exp(-speed * step)), step // 40 * 40
        scores = (0.9 - 0.5 * float(np.exp(-speed * tested)), 0.7 - 0.6 * float(np.exp(-speed * tested)))
        iou = scores if tested else (None, None)
        ripple = 0.06 * float(np.sin(step * 1.7))
        loss, accuracy = 2.3 * fallen + 0.12 + ripple * fallen, 0.93 - 0.6 * fallen + ripple / 3
        out.append(TrainingProgress(step, total, loss, accuracy, step * 0.05, *iou, tested or None))
    return tuple(out)


def samples(step: int = 120, count: int = 4, weighed: bool = True) -> TrainingSamples:
    """Pages with a square of a class each; the answers are a little to the right of the truth."""
    size = 64
    images = np.zeros((count, size, size, 3), np.uint8)
    truth = np.zeros((count, size, size), np.uint8)
    for at in range(count):
        top, left = 8 + 5 * at, 30 - 6 * at
        images[at, top : top + 24, left : left + 20] = 220
        truth[at, top : top + 24, left : left + 20] = at + 1
    truth[:, :, -4:] = 255
    labels = np.roll(truth, 3, axis=2)
    labels[labels == 255] = 0
    weights = np.where(truth == 0, 0.5, 4.0).astype(np.float32) if weighed else None
    gradient = np.abs(labels.astype(np.float32) - truth).clip(0, 1) * 0.01 if weighed else None
    classes = ("background", *(str(digit) for digit in range(10)))
    return TrainingSamples(step, classes, images, truth, labels, weights, gradient)


def training(phase: Phase = Phase.RUNNING, **changes: Any) -> Training:
    """Two runs, of which the newer is under way."""
    first = Run(1, "digits-fcn, quick", train_request(), learning(200), result=trained())
    second = Run(2, "digits-fcn, quick, 10 % of pixels", train_request(kept=0.1), learning(120, 0.02), samples())
    value = Training(phase, (first, second), rate=19.6, remaining=4.1)
    return replace(value, **changes)


def trained() -> TrainingResult:
    request = train_request()
    scores = (0.912, 0.803, 0.684, 0.85)
    title = "FCN-32s, 16s and 8s on digit pages"
    return TrainingResult(request, title, request.out, 200, 10.2, 161_565, 60, *scores, network="fcn8s-digits")


def finished_training() -> Training:
    value = training(Phase.IDLE)
    result = replace(trained(), request=value.runs[1].request, mean_iou=0.651)
    return replace(value.with_run(points=learning(200, 0.02), samples=samples(200), result=result), rate=None)

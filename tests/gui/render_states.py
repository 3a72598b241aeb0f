"""The window in every state worth looking at, made by hand so that no engine is needed.

`python -m tests.gui.render_states FOLDER` saves all of them as pictures (`make pictures`).
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEventLoop, QPointF, QTimer
from PySide6.QtWidgets import QApplication

from segviz.core import assets, convolution_lab
from segviz.core.cams import CamView
from segviz.core.capabilities import Ability, Capability, Verdict
from segviz.core.catalogue import entry
from segviz.core.choices import (
    CompareView,
    Device,
    Glow,
    Heat,
    MapPage,
    Method,
    NetworkView,
    Theme,
    TrainingPage,
    Upsampling,
    View,
)
from segviz.core.field import Box
from segviz.core.images import Picture, open_picture
from segviz.core.kept import Kept
from segviz.core.laboratory import Kernel, Laboratory, Page, Source, Way
from segviz.core.maps import MapStatistics
from segviz.core.network_picture import NetworkPicture
from segviz.core.planning import plan_cams, plan_kept, plan_measure, plan_occlusion, plan_patches
from segviz.core.requests import (
    Badge,
    ClassifyRequest,
    DescribeRequest,
    ExamineRequest,
    FeatureRequest,
    Prediction,
    Progress,
)
from segviz.core.session import Session, State, Unit
from segviz.core.sight import Sight
from segviz.core.steps import Window
from segviz.core.what_if import Edit
from segviz.gui import names, theme
from segviz.gui.background import WORKER
from segviz.gui.board_file import picture_of
from segviz.gui.layout import SMALLEST
from segviz.gui.runs import Left, Phase, Training
from segviz.gui.scene import EngineStatus, Job, Kind, Message, Scene
from segviz.gui.widgets.ink import Ink
from segviz.gui.window import MainWindow
from tests.core import skipped
from tests.gui import convolution_scenes, scenes

SIZES = (SMALLEST.toTuple(), (1280, 800), (2560, 1440))
THEMES = (Theme.DARK, Theme.LIGHT)


def empty() -> Scene:
    return Scene(State(), engine=EngineStatus.STARTING)


def castle(height: int = 340, width: int = 512, zoom: int = 2, view: View = View.HEATMAP) -> Scene:
    """A photograph, 1,000 classes with long names, a unit pinned in a block."""
    picture = open_picture(assets.sample("castle-maintenon.jpg"))
    pixels = np.ascontiguousarray(picture.pixels[: height * zoom, : width * zoom])
    return deep_on(replace(picture, pixels=pixels), zoom, view)


def deep_on(picture: Picture, zoom: int, view: View) -> Scene:
    network = scenes.deep(picture.height // zoom, picture.width // zoom, zoom)
    unit = Unit(17, 12, 20)
    x, y = network.frame.to_image(*network.geometry.position_of("blocks.2", unit.row, unit.column))
    state = State(
        image=picture.path, model="efficientnet_lite0", layer="blocks.2", unit=unit, cursor=(x, y), view=view,
    )  # fmt: skip
    return Scene(
        state=state,
        picture=picture,
        network=network,
        prediction=scenes.prediction(network, state.model, picture.path),
        features=scenes.features(network, "blocks.2", model=state.model, image=picture.path),
        engine=EngineStatus.READY,
        device="CPU, 2 threads",
    )


def evidence(heat: Heat, **changes: Any) -> Scene:
    """What speaks for a castle in a block, on the photograph."""
    whole = castle()
    state = replace(whole.state, tab="heatmaps", shown_class=0, cams=CamView(heat, **changes))
    wanted = plan_cams(state)
    assert wanted is not None
    return replace(whole, state=state, cams=scenes.cam_answer(wanted, whole.network))


def large() -> Scene:
    """6,000 x 4,000 pixels."""
    y, x = np.mgrid[0:4000, 0:6000].astype(np.uint32)
    pixels = np.stack([x * 255 // 5999, y * 255 // 3999, (x // 250 + y // 250) % 2 * 160], 2).astype(np.uint8)
    return deep_on(
        Picture("/pictures/a-photograph-with-a-rather-long-name-of-the-sea.jpg", pixels, "RGB"), 10, View.LABELS
    )


def small() -> Scene:
    """32 x 32 pixels: one unit."""
    network = scenes.lenet(32, 32)
    state = State(image="/pictures/seven.png", model="lenet5", layer="output", unit=Unit(0, 0, 0), cursor=(15.5, 15.5))
    picture = replace(scenes.picture(32, 32), path="/pictures/seven.png")
    return Scene(
        state=state,
        picture=picture,
        network=network,
        prediction=scenes.prediction(network, image=picture.path),
        features=scenes.features(network, "output", image=picture.path),
        engine=EngineStatus.READY,
        device="CPU, 2 threads",
    )


def running() -> Scene:
    """A sliding window on its way."""
    job = Job(Kind.PREDICTION, Progress(200, 425, "windows"), 41.0, 5.4)
    partial = scenes.race_updates(200)[0].partial
    return scenes.full(partial=partial, prediction=None, jobs=(job,), engine=EngineStatus.BUSY)


def failed() -> Scene:
    """A network that could not be opened, the last one still there."""
    text = "net.pth: no tensor 'fc6.weight' (4096x25088); the file looks like vgg16_bn: open it as vgg16_bn"
    return scenes.full(message=Message(text, "Traceback (most recent call last): ...", Kind.DESCRIPTION))


def older() -> Scene:
    """A race that was run before the scale, the device and the grid stride were changed."""
    scene = scenes.full(race=scenes.race())
    state = replace(scene.state, scale=0.5, device=Device.CPU, grid_stride=8)
    return replace(scene, state=state)


def window() -> Scene:
    """The window of a classifier on a photograph, dragged somewhere, with the classes of it."""
    scene = castle()
    state = replace(scene.state, unit=None, cursor=None, window=(120.0, 60.0))
    assert scene.network is not None
    answer = scenes.window_answer(
        ClassifyRequest(scenes.setup(model=state.model, image=state.image), 120, 60), scene.network
    )
    return replace(scene, state=state, window=answer)


def board() -> Scene:
    """A drawing of a few strokes."""
    ink = Ink.blank(scenes.WIDTH, scenes.HEIGHT)
    for points in STROKES:
        for start, end in itertools.pairwise(points):
            ink.line(QPointF(*start), QPointF(*end), 3)
    path = f"/pictures/{names.board_file(ink.size)}"
    picture = picture_of(ink.piece(ink.image.rect()), path)
    setup = scenes.setup(image=path)
    return scenes.full(
        state=State(image=path, model="lenet5", minimum=0.8, layer="output"),
        picture=picture,
        prediction=scenes.prediction(image=path),
        features=replace(scenes.features(layer="output", image=path), request=FeatureRequest(setup, "output")),
    )


STROKES = (
    ((20, 20), (32, 16), (38, 24), (28, 32), (38, 42), (30, 52), (18, 48)),
    ((62, 18), (82, 18), (70, 52)),
    ((100, 16), (94, 38), (114, 36)), ((108, 24), (106, 54)),
)  # fmt: skip


def described() -> Scene:
    """The photograph, its network open by the name that the State has."""
    scene = castle()
    assert scene.network is not None
    asked = DescribeRequest(scenes.setup(model=scene.state.model, image=scene.state.image))
    return replace(scene, network=replace(scene.network, request=asked, entry=entry(scene.state.model)))


def otherwise() -> Scene:
    """LeNet-5 viewed otherwise than it is by itself, and examined."""
    spec = "lenet5?longest=300&mean=40"
    setup = scenes.setup(model=spec)
    network = replace(scenes.lenet(), request=DescribeRequest(setup), entry=entry(spec), brought=entry("lenet5"))
    verdicts = {Ability.SIZES: (Verdict.PARTLY, "any size, but none below 32x32"), Ability.GRADIENTS: (Verdict.NO, "")}
    found = tuple(Capability(ability, *verdicts.get(ability, (Verdict.YES, ""))) for ability in Ability)
    scene = scenes.full(network=network, badge=Badge(ExamineRequest(setup), found, 0.2))
    return replace(scene, state=replace(scene.state, model=spec))


def compared(view: CompareView, count: int = 1, names: tuple[str, ...] = ()) -> Scene:
    """A photograph whose labels were refined; results of another upsampling and others are kept."""
    scene = castle(view=View.LABELS)
    assert scene.prediction is not None
    ways = (Upsampling.BICUBIC, Upsampling.NEAREST, Upsampling.TRANSPOSED)[:count]
    kept = tuple(replace(Kept.of(scene.state), upsampling=way) for way in ways)
    kept = tuple(replace(one, name=name) for one, name in itertools.zip_longest(kept, names[:count], fillvalue=""))
    state = replace(scene.state, kept=kept, compare=view, curtain=0.62, minimum=0.0)
    shelf = tuple(shifted_result(scene.prediction, one, state, 40 * (at + 1)) for at, one in enumerate(kept))
    return replace(scene, state=state, shelf=shelf)


def shifted_result(prediction: Prediction, kept: Kept, state: State, pixels: int) -> Prediction:
    request = plan_kept(kept, state)
    assert request is not None
    labels = np.roll(prediction.labels, pixels, 1)
    return replace(prediction, request=request, labels=labels, logits=np.roll(prediction.logits, 1, 2))


def refined() -> Scene:
    """The labels of a photograph while they are refined anew."""
    scene = castle(view=View.LABELS)
    state = replace(scene.state, refine=True)
    return replace(scene, state=state, jobs=(Job(Kind.PREDICTION, Progress(12, 40, "strips"), 3.0, 9.0),))


def laboratory(page: Page, **changes: Any) -> Scene:
    """The upsampling tab on the photograph."""
    scene = described()
    state = replace(scene.state, tab="upsampling", upsampling_lab=Laboratory(page, **changes))
    return replace(scene, state=state)


def convolution(page: convolution_lab.Page, **changes: Any) -> Scene:
    """The convolution tab on the photograph."""
    return convolution_scenes.on(described(), page, **changes)


def stopped_search() -> Scene:
    """Top patches of the first images, the others left for later."""
    scene = scenes.top(4)
    wanted = plan_patches(scene.state)
    assert wanted is not None
    return replace(scene, given_up=(wanted,))


def weighing(scene: Scene | None = None, ins: int = 1280) -> Scene:
    """A 1 x 1 convolution taken apart: one weight a map."""
    found = convolution_scenes.on(scene or described(), convolution_lab.Page.PRODUCTS)
    return replace(found, sums=convolution_scenes.sum_answer(found, ins=ins, window=Window(1, 1, 1, 0)))


def depths(page: Page, view: View = View.LABELS, **changes: Any) -> Scene:
    """An FCN-8s on the photograph, its skips faded."""
    scene = castle()
    assert scene.picture is not None
    path, size = scene.picture.path, (scene.picture.height, scene.picture.width)
    state = State(
        image=path, model=scenes.FCN, tab="upsampling", view=view, shown_class=1,
        upsampling_lab=Laboratory(page, **changes),
    )  # fmt: skip
    answer = scenes.depth_answer(*size, image=path)
    return replace(scene, state=state, network=None, prediction=None, features=None, depths=answer)


def seen(unit: Unit | None = None, **changes: Any) -> Scene:
    """The photograph with more of what units see; a unit of the last block is pinned, near the corner."""
    scene = castle(view=View.IMAGE)
    network = scene.network
    assert network is not None
    unit = unit or Unit(17, 2, 3)
    cursor = network.frame.to_image(*network.geometry.position_of("fc", unit.row, unit.column))
    state = replace(scene.state, layer="fc", unit=unit, cursor=cursor, sight=Sight(**changes))
    return replace(scene, state=state, features=None)


def paths() -> Scene:
    """FCN-8s on the photograph: one box for each path, the widest reaching beyond the image."""
    scene = castle(view=View.IMAGE)
    assert scene.picture is not None
    network = scenes.skipping(scene.picture.height // 2, scene.picture.width // 2)
    x, y = 700.0, 300.0
    row, column = network.geometry.cell_at("output", *network.frame.to_network(x, y))
    state = replace(scene.state, model=scenes.FCN, layer="output", unit=Unit(0, row, column), cursor=(x, y))
    return replace(scene, state=state, network=network, prediction=None, features=None)


def occluded() -> Scene:
    """A grey square, and what it changes."""
    scene = seen(Unit(17, 20, 30), square=(420.0, 300.0), side=64)
    asked = plan_occlusion(scene.state)
    assert asked is not None
    return replace(scene, occlusion=scenes.occlusion(asked, scene.network))


def lost(measured: bool) -> Scene:
    """A unit whose field no record knows; as gradients measure it, or before."""
    scene = castle(view=View.IMAGE)
    assert scene.network is not None
    network, asked = scenes.lost(scene.network, "blocks.2"), plan_measure(scene.state)
    assert asked is not None
    box = network.geometry.field("blocks.2", asked.row, asked.column).box
    found = scenes.measured(network, asked, Box(box.left + 3, box.top + 2, box.right - 4, box.bottom - 3))
    return replace(scene, network=network, measured=found if measured else None)


def glowing(glow: Glow, scene: Scene | None = None, images: int = 1, dead: bool = False) -> Scene:
    """A unit of the photograph, seen from near, with what it looks at."""
    return scenes.glowing(scene or castle(112, 168, 6, View.IMAGE), glow, images, dead)


def glow_coming() -> Scene:
    """An effective field that is averaged, on its way."""
    scene = castle(view=View.IMAGE)
    state = replace(scene.state, glow=Glow.EFFECTIVE, glow_images=32)
    job = Job(Kind.EFFECTIVE, Progress(5, 32, "images"), 3.0, 9.0)
    return replace(scene, state=state, jobs=(job,), engine=EngineStatus.BUSY)


def dense_maps() -> Scene:
    """A dense layer of VGG16 as published: 4,096 maps of one unit."""
    scene = scenes.full()
    assert scene.features is not None
    values = np.random.default_rng(0).normal(size=(4096, 1, 1)).astype(np.float32)
    return replace(scene, features=replace(scene.features, statistics=MapStatistics.of(values)))


def heated(scene: Scene) -> Scene:
    """The same with heatmaps in the place of labels."""
    return replace(scene, state=replace(scene.state, view=View.HEATMAP))


def no_shifts() -> Scene:
    """A network that answers per pixel, where classifiers are shifted and stitched."""
    scene = laboratory(Page.SHIFTS)
    assert scene.network is not None
    return replace(scene, network=replace(scene.network, window=None, title="FCN-8s"))


def network(view: NetworkView = NetworkView.PICTURE, **chosen: Any) -> Scene:
    """The network on the photograph in the image's place."""
    scene = castle()
    picture = NetworkPicture(**chosen)
    return replace(scene, state=replace(scene.state, network_view=view, network_picture=picture))


def network_of(scene: Scene) -> Scene:
    return replace(scene, state=replace(scene.state, network_view=NetworkView.PICTURE))


def skips() -> Scene:
    """A network with a concatenated skip and a gate, nothing pinned and no image."""
    state = State(model="drawn", layer="up0", network_view=NetworkView.PICTURE)
    return Scene(state, network=skipped.unet(), engine=EngineStatus.READY)


def on_tab(scene: Scene, tab: str) -> Scene:
    return replace(scene, state=replace(scene.state, tab=tab))


def trainer(training: Training, page: TrainingPage = TrainingPage.CURVES) -> Scene:
    """The training laboratory beside a page of digits."""
    scene = on_tab(scenes.full(training=training), "training")
    return replace(scene, state=replace(scene.state, training_page=page))


def idle_laboratory() -> Scene:
    """Nothing trained yet; an earlier window left something."""
    left = Left(Path("/runs/digits-fcn.json"), "digits-fcn", scenes.train_request(), 1240, 3000)
    return trainer(Training(left=(left,)), TrainingPage.IMAGE)


STATES: dict[str, Callable[[], Scene]] = {
    "empty": empty,
    "heatmap": castle,
    "labels": lambda: castle(view=View.LABELS),
    "heatmaps": lambda: on_tab(castle(), "heatmaps"),
    "large": large,
    "small": small,
    "page": scenes.full,
    "running": running,
    "failed": failed,
    "board": board,
    "window": window,
    "glow": lambda: glowing(Glow.EFFECTIVE),
    "glow-heatmap": lambda: glowing(Glow.EFFECTIVE, castle(), 32),
    "glow-deconvnet": lambda: glowing(Glow.DECONVNET),
    "glow-dead": lambda: glowing(Glow.EFFECTIVE, dead=True),
    "glow-small": lambda: glowing(Glow.EFFECTIVE, small()),
    "glow-coming": glow_coming,
    "refined": refined,
    "sight-film": lambda: seen(filmstrip=True),
    "sight-film-empty": lambda: replace(seen(), state=replace(seen(filmstrip=True).state, unit=None, cursor=None)),
    "sight-film-small": lambda: replace(small(), state=replace(small().state, sight=Sight(filmstrip=True))),
    "sight-paths": paths,
    "sight-unknown": lambda: lost(measured=False),
    "sight-measured": lambda: lost(measured=True),
    "sight-projective": lambda: seen(Unit(17, 20, 30), projective=True),
    "sight-occluded": occluded,
    "kept": lambda: compared(CompareView.NONE, 3),
    "side-by-side": lambda: compared(CompareView.SIDE_BY_SIDE),
    "side-by-side-4": lambda: compared(CompareView.SIDE_BY_SIDE, 3, ("A name that somebody gave to it, and long",)),
    "curtain": lambda: compared(CompareView.CURTAIN, 2),
    "difference": lambda: compared(CompareView.DIFFERENCE),
    "card": described,
    "card-empty": empty,
    "card-other": otherwise,
    "patches": lambda: scenes.top(),
    "patches-running": lambda: scenes.top(4, jobs=(Job(Kind.PATCHES, Progress(4, 20, "images"), 2.0, 8.0),)),
    "patches-stopped": stopped_search,
    "patches-empty": lambda: replace(empty(), state=replace(empty().state, map_page=MapPage.PATCHES)),
    "heatmaps-grad-cam": lambda: evidence(Heat.GRAD_CAM),
    "heatmaps-cam-signed": lambda: evidence(Heat.CAM, signed=True),
    "heatmaps-computing": lambda: replace(
        evidence(Heat.GRAD_CAM), cams=None, jobs=(Job(Kind.CAMS, Progress(40, 149, "layers"), 90.0, 1.2),)
    ),
    "heatmaps-small": lambda: on_tab(small(), "heatmaps"),
    "heatmaps-empty": lambda: on_tab(empty(), "heatmaps"),
    "compare-probabilities": lambda: heated(compared(CompareView.DIFFERENCE)),
    "upsampling-no-shifts": no_shifts,
    "scores-empty": lambda: on_tab(scenes.full(), "scores"),
    "scores": lambda: scenes.scored(),
    "scores-errors": lambda: scenes.scored(errors=True),
    "scores-cell": lambda: scenes.scored(cell=(0, 3)),
    "scores-thousand": lambda: scenes.scored(castle(view=View.LABELS), shift=60, errors=True),
    "scores-large": lambda: scenes.scored(castle(view=View.LABELS), shift=60, scores_large=True),
    "scores-names-large": lambda: scenes.scored(names=(*"012345678", "blot"), shift=0, scores_large=True),
    "scores-names": lambda: scenes.scored(names=(*"012345678", "blot"), shift=0),
    "race-before": lambda: on_tab(scenes.full(), "race"),
    "race-running": lambda: on_tab(
        scenes.full(
            race_updates=scenes.race_updates(200), jobs=(Job(Kind.RACE, Progress(200, 425, "windows"), 250.0, 0.9),)
        ),
        "race",
    ),
    "race-done": lambda: on_tab(scenes.full(race=scenes.race()), "race"),
    "race-older": lambda: on_tab(older(), "race"),
    "upsampling": lambda: laboratory(Page.WAYS),
    "upsampling-feature": lambda: laboratory(
        Page.WAYS, source=Source.FEATURE, side=8, factor=8, kernel=Kernel.UNEVEN, first=Way.NAILS, second=Way.UNPOOLED
    ),
    "upsampling-edited": lambda: laboratory(Page.WAYS, kernel=Kernel.EDITED, factor=4),
    "upsampling-empty": lambda: on_tab(empty(), "upsampling"),
    "upsampling-insertion": lambda: laboratory(Page.INSERTION),
    "upsampling-skips": lambda: depths(Page.SKIPS, fades=(1.0, 0.3)),
    "upsampling-depths": lambda: depths(Page.DEPTHS, View.HEATMAP),
    "upsampling-no-depths": lambda: laboratory(Page.SKIPS),
    "upsampling-direct": lambda: scenes.laboratory(Page.DIRECT),
    "upsampling-shifts": lambda: scenes.laboratory(Page.SHIFTS, Method.DENSE),
    "upsampling-image": lambda: laboratory(Page.WAYS, image=True),
    "maps-dense": dense_maps,
    "filters": lambda: scenes.filters(scenes.full(), scenes.a_filter(channel=4)),
    "filters-pictures": lambda: scenes.filters(castle(view=View.IMAGE), scenes.a_filter(3, 40, 17, 3, 3)),
    "filters-many": lambda: scenes.filters(castle(view=View.IMAGE), scenes.a_filter(1280, 1000, 17, side=1)),
    "filters-small": lambda: scenes.filters(small(), scenes.a_filter(84, 10, side=1)),
    "filters-none": lambda: scenes.filters(
        castle(),
        None,
        "blocks.2 is a block of 3 layers and ends in none with filters: choose a layer inside it",
        "blocks.2.project",
    ),
    "filters-waiting": lambda: replace(
        scenes.filters(scenes.full()), filters=None, jobs=(Job(Kind.FILTERS),), engine=EngineStatus.BUSY
    ),
    "filters-empty": lambda: replace(empty(), state=State(map_page=MapPage.FILTERS)),
    "convolution-empty": lambda: on_tab(empty(), "convolution"),
    **{f"convolution-{page}": partial(convolution, page) for page in convolution_lab.Page},
    **{
        f"convolution-{page}-image": partial(convolution, page, source=convolution_lab.Source.IMAGE, dilation=2)
        for page in (convolution_lab.Page.PRODUCTS, convolution_lab.Page.SLIDING, convolution_lab.Page.RELU)
    },
    "convolution-small": lambda: convolution_scenes.on(small(), convolution_lab.Page.PRODUCTS),
    "convolution-weighing": weighing,
    "convolution-weighing-dense": lambda: weighing(small(), 120),
    "convolution-computing": lambda: replace(
        on_tab(described(), "convolution"), jobs=(Job(Kind.SUMS, Progress(3, 12, "layers"), 4.0, 2.2),)
    ),
    "network": network,
    "network-block": lambda: network(toggled=frozenset({"blocks.2"}), focus="blocks"),
    "network-skips": skips,
    "network-small": lambda: network_of(small()),
    "network-large": lambda: network_of(large()),
    "network-empty": lambda: network_of(empty()),
    "network-edited": lambda: network(edits=(("stem", Edit((7, 7), (1, 1), (1, 1), (3, 3))),)),
    "what-if": lambda: network(NetworkView.WHAT_IF, edits=(("blocks.1.dw", Edit((5, 5), (1, 1), (2, 2), (4, 4))),)),
    "what-if-refused": lambda: network(NetworkView.WHAT_IF, edits=(("blocks.1.dw", Edit((999, 999))),)),
    "training-idle": idle_laboratory,
    "training-running": lambda: trainer(scenes.training()),
    "training-paused": lambda: trainer(scenes.training(Phase.PAUSED)),
    "training-finished": lambda: trainer(scenes.finished_training()),
    "training-classes": lambda: trainer(scenes.training(), TrainingPage.CLASSES),
    "training-weight-map": lambda: trainer(Training(), TrainingPage.WEIGHT_MAP),
    "race-not-exact": lambda: on_tab(scenes.full(race=scenes.race(exact=False, extrapolated=True)), "race"),
}


@dataclass(frozen=True, slots=True)
class Shot:
    """One state at one size in one theme."""

    state: str
    size: tuple[int, int]
    theme: Theme

    @property
    def name(self) -> str:
        return f"{self.state}-{self.size[0]}-{self.theme.value}"


ALL = tuple(Shot(*one) for one in itertools.product(STATES, SIZES, THEMES))


def show(shot: Shot) -> MainWindow:
    """A window in that state; to be closed by the caller."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, shot.theme)
    scene = STATES[shot.state]()
    window = MainWindow(Session(scene.state), None, remembers=False)
    window.scoring._wanted = (
        scene.state.truth,
        scene.state.mask_colours,
    )  # the scene has its mask: there is no such file
    window.setMinimumSize(1, 1)
    window.resize(*shot.size)
    loop = QEventLoop()
    window.filled.connect(loop.quit)
    window.show()
    loop.exec()
    settle(loop)
    if shot.state.startswith("card"):
        window.bring_panel("card")
    window.desk._show(**{f.name: getattr(scene, f.name) for f in fields(Scene)})
    settle(loop)
    return window


def settle(loop: QEventLoop) -> None:
    """Let what is due now and what follows from it happen, with all work beside the window's thread."""
    turns = 6
    while turns:
        turns = 6 if any(thread.name == WORKER for thread in threading.enumerate()) else turns - 1
        QTimer.singleShot(20, loop.quit)
        loop.exec()
    QApplication.sendPostedEvents()


def main(folder: Path) -> None:
    app = QApplication.instance() or QApplication([])
    folder.mkdir(parents=True, exist_ok=True)
    for shot in ALL:
        window = show(shot)
        window.grab().save(str(folder / f"{shot.name}.png"))
        window.close()
        window.deleteLater()
    app.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

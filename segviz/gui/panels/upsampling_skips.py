"""FCN-32s, 16s and 8s side by side with the truth, skips that fade, and what each depth says alone (T22, T25, T26)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from segviz.core.choices import View
from segviz.core.depths import FAMILY, TITLES
from segviz.core.errors import SegvizError
from segviz.gui import theme, words
from segviz.gui.background import Background
from segviz.gui.identity import Same
from segviz.gui.panels.lab_page import Change, Rows
from segviz.gui.scene import Kind
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.linked_views import LinkedViews
from segviz.gui.widgets.slider import LabelledSlider
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.depths import DepthAnswer, Depths
    from segviz.core.masks import Mask
    from segviz.core.metrics import Scores
    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import Commands
    from segviz.gui.panels.upsampling_planes import Planes
    from segviz.gui.scene import Scene

MOST = 5  # views
QUICK = 400_000  # scores of a map at the pixels that the window's thread adds up within a frame
FRAME = 33  # ms: faded maps are painted at most 30 times a second
POOLS = ("pool4", "pool3")
NAMES = {"score_fr": "Deepest scores", "score_pool4": "Scores of pool4", "score_pool3": "Scores of pool3"}
CHOOSE = (
    f"Choose a network whose name begins with '{FAMILY}' (FCN-8s over EfficientNet-Lite0 is a quick one): its scores "
    "of three depths are shown here."
)


@dataclass(frozen=True, eq=False)
class Shown:
    """What one view shows: a title, the weights of the depths (None: the truth), their labels and score.

    `heat` is the probability (rows, columns) of the class `heat_of`, where one has been asked for.
    """

    title: str
    weights: tuple[float, ...] | None
    labels: Any  # class indices (rows, columns)
    score: Scores | None
    changed: float | None = None  # share of the pixels whose label differs from the network's own answer
    heat: Any = None
    heat_of: int | None = None


class DepthsPage:
    """Label maps of the same network with fewer or more of its depths. With `alone`, of each depth by itself."""

    drawn = False

    def __init__(self, change: Change, commands: Commands, alone: bool = False) -> None:
        self._change, self._commands, self._alone = change, commands, alone
        self._scene: Scene | None = None
        self._answer: DepthAnswer | None = None
        self._truth: Mask | None = None
        self._ignored: int | None = None  # the label of the truth that does not count
        self._shown: list[Shown] = []
        self._planes: list[Planes] = []
        self._key: object = None
        self._place: object = None
        self._refused = ""
        self._background = Background()
        self._busy = self._dirty = False
        self.sliders = [
            LabelledSlider(f"Skip of {pool}", tooltip=f"How much of the scores of {pool} is added") for pool in POOLS
        ]
        self.whole = QPushButton("All of both")
        self.whole.setToolTip("Both skips back to 100 %, as the network was trained")
        self.facts = ElidedLabel()
        self.note = WrappedLabel()
        theme.set_role(self.note, "caption")
        self.settings = self._make_settings()
        self.views = LinkedViews("Depths of the network" if alone else "Skips of the network", MOST)
        self.views.show_count(0)  # until there is something to be shown
        self.stage: QWidget = self.views
        self._due = QTimer(self.views)  # which ends with it
        self._due.setSingleShot(True)
        self._due.setInterval(FRAME)
        self._due.timeout.connect(self._paint)
        self.views.destroyed.connect(self._background.close_at_once)
        for index, slider in enumerate(self.sliders):
            slider.moved.connect(lambda value, at=index: self._fade(at, value))
        self.whole.clicked.connect(lambda: self._change(fades=(1.0, 1.0)))
        self.views.hovered.connect(lambda x, y: self._commands.point_at((x, y)))
        self.views.left.connect(lambda: self._commands.point_at(None))

    def _make_settings(self) -> QWidget:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        fading = QHBoxLayout()
        fading.setSpacing(theme.L)
        for slider in self.sliders:
            slider.setMaximumWidth(theme.px(320))
            fading.addWidget(slider, 1)
        fading.addWidget(self.whole)
        fading.addStretch(1)
        column.addLayout(fading)
        column.addWidget(self.facts)
        column.addWidget(self.note)
        column.addStretch(1)
        self.facts.setFont(theme.numbers())
        for part in (*self.sliders, self.whole):
            part.setVisible(not self._alone)
        return whole

    # -------------------------------------------------------------------------------- showing

    def show(self, scene: Scene) -> None:
        self._scene = scene
        fades = scene.state.upsampling_lab.fades
        depths = self._depths(scene)
        for index, (slider, fade) in enumerate(zip(self.sliders, fades, strict=True)):
            slider.set_value(fade)
            slider.setEnabled(depths is not None and index < depths.skips)
        self.whole.setEnabled(fades != (1.0, 1.0))
        if not self._due.isActive():
            self._paint()
            self._due.start()

    def _depths(self, scene: Scene) -> Depths | None:
        found = scene.shown_depths
        return found.depths if found is not None else None

    def _paint(self) -> None:
        """Bring the views up to the newest scene; nothing where they are."""
        scene = self._scene
        depths = self._depths(scene) if scene is not None else None
        if scene is None or depths is None or scene.picture is None:
            self._key, self._shown = None, []
            self.facts.setText("")
            self.note.say("")
            return
        state = scene.state
        key = (
            Same(depths), Same(scene.picture), Same(scene.shown_truth), state.ignored, state.upsampling_lab.fades,
            state.view, scene.shown_class, state.palette, state.colour_map, state.opacity, state.heat_opacity,
            state.hidden, state.solo,
        )  # fmt: skip
        if key == self._key:
            return
        if self._busy:
            self._dirty = True
            return
        first, self._key, self._place = key[:4] != self._place, key, key[:4]
        if first:
            self._truth, self._ignored, self._refused = scene.shown_truth, state.ignored, ""
        kept = [] if first else self._shown
        if values_of(depths) <= QUICK:
            self._present(scene, depths, self._all(scene, depths, kept), first)
        else:
            if not self._shown:
                self.note.say("The scores of each depth are upsampled…")
            self._compute(scene, depths, kept, first)

    def _compute(self, scene: Scene, depths: Depths, kept: Sequence[Shown], first: bool) -> None:
        """Add and upsample beside the window's thread; the newest fades wait until that is done."""
        found: list[list[Shown]] = []
        key, self._busy = self._key, True

        def then(error: Exception | None) -> None:
            self._busy = False
            if error is None and key == self._key:
                self._present(scene, depths, found[0], first)
            elif first:
                self._place = None  # nothing of it was shown
            if error is not None:
                self.note.say(str(error))
            if self._dirty:
                self._dirty = False
                self._paint()

        self._background.run(lambda: found.append(self._all(scene, depths, kept)), then)

    def _present(self, scene: Scene, depths: Depths, shown: list[Shown], first: bool) -> None:
        self._shown = shown
        self._fill(scene, depths, first)
        self.facts.setText(self._facts())
        self.facts.setVisible(bool(self.facts.text()))
        self.note.say(self._note(scene))

    def _all(self, scene: Scene, depths: Depths, kept: Sequence[Shown]) -> list[Shown]:
        """What the views show; what is there already is not computed again."""
        own = depths.with_skips(depths.skips)
        wanted: list[tuple[str, tuple[float, ...]]] = [(TITLES.get(depths.skips, "The network"), own)]
        if self._alone:
            wanted = [(NAMES.get(layer, layer), depths.alone(at)) for at, layer in enumerate(depths.layers)]
            wanted.append(("All together", own))
        else:
            cut = [(f"As {TITLES[count]}", depths.with_skips(count)) for count in range(depths.skips)]
            wanted = [*cut, *wanted]
            fades = scene.state.upsampling_lab.fades[: depths.skips]
            if depths.skips:
                wanted.append((f"Faded: {_percents(fades)}", (1.0, *fades)))
        found = {one.weights: one for one in kept}
        answer = found[own].labels if own in found else self._labels(depths, own)
        shown = [self._one(depths, title, weights, answer, found.get(weights)) for title, weights in wanted]
        if scene.state.view is View.HEATMAP:
            shown = [self._heated(depths, one, found.get(one.weights), scene.shown_class or 0) for one in shown]
        if self._truth is not None:
            shown.append(Shown("Truth", None, self._matched(depths), None))
        return shown

    def _matched(self, depths: Depths) -> np.ndarray:
        """The truth by the network's classes; what does not count, or is of none of them, stays what the file says."""
        import numpy as np  # after the first paint

        from segviz.core.matching import match, matched

        assert self._truth is not None
        try:
            labels = matched(self._truth, match(depths.classes, self._truth.names), self._ignored)
        except SegvizError:  # said where the score would be
            return self._truth.labels
        return np.where(labels < 0, self._truth.labels, labels)

    def _one(self, depths: Depths, title: str, weights: tuple[float, ...], answer: Any, kept: Shown | None) -> Shown:
        if kept is not None:
            return replace(kept, title=title)
        labels = answer if weights == depths.with_skips(depths.skips) else self._labels(depths, weights)
        return Shown(title, weights, labels, self._score(depths, labels), float((labels != answer).mean()))

    def _labels(self, depths: Depths, weights: Sequence[float]) -> np.ndarray:
        from segviz.core import fading

        return fading.labels(depths, weights)

    def _score(self, depths: Depths, labels: Any) -> Scores | None:
        if self._truth is None:
            return None
        from segviz.core import fading
        from segviz.core.errors import SegvizError

        try:
            return fading.score(labels, depths.lattice, self._truth, depths.classes, self._ignored)
        except SegvizError as error:
            self._refused = str(error)
            return None

    def _fill(self, scene: Scene, depths: Depths, first: bool) -> None:
        from segviz.core.metrics import IGNORED
        from segviz.gui.panels import upsampling_planes

        picture = scene.picture
        assert picture is not None
        photo = upsampling_planes.photo(picture) if first else None
        self._planes = self._planes or [upsampling_planes.Planes() for _ in range(MOST)]
        self.views.show_count(len(self._shown))
        for one, planes, view in zip(self._shown, self._planes, self.views.views, strict=False):
            if one.weights is None:
                planes.set_labels(one.labels, None, depths.classes, scene.state, IGNORED)
            elif scene.state.view is View.HEATMAP:
                planes.set_heat(one.heat, depths.lattice, scene.state)
            else:
                planes.set_labels(one.labels, depths.lattice, depths.classes, scene.state)
            view.say(one.title, self._said(one, scene, depths))
        if first:
            for planes, view in zip(self._planes, self.views.views, strict=True):
                planes.set_picture(picture, photo)
                view.set_content((picture.width, picture.height), planes.layers)
            self.views.arrange()
        for view in self.views.seen:
            view.view.update()

    def _heated(self, depths: Depths, one: Shown, kept: Shown | None, index: int) -> Shown:
        """`one` with the probability of a class."""
        from segviz.core import fading

        assert one.weights is not None
        if kept is not None and kept.heat_of == index:
            return replace(one, heat=kept.heat, heat_of=index)
        return replace(one, heat=fading.probability(depths, one.weights, index), heat_of=index)

    def _said(self, one: Shown, scene: Scene, depths: Depths) -> str:
        if one.weights is None:
            return "from the mask"
        silent = self._alone and sum(one.weights) == 1 and not depths.maps[one.weights.index(1.0)].any()
        parts = ["all its scores are zero: it adds nothing yet"] if silent else []
        if one.score is not None:
            parts.append(f"mean IoU {one.score.mean_iou:.3f}, pixels {words.share(one.score.pixel_accuracy)}")
        if scene.state.view is View.HEATMAP:
            parts.append(f"probability of {depths.classes[scene.shown_class or 0]}")
        if one.changed:
            parts.append(f"other labels on {words.share(one.changed)}")
        elif one.weights == depths.with_skips(depths.skips):
            parts.append("as the network answers")
        return " · ".join(parts)

    def _facts(self) -> str:
        """The scores in one line."""
        scored = [one for one in self._shown if one.score is not None]
        told = [f"{one.title.partition(':')[0]} {one.score.mean_iou:.3f}" for one in scored if one.score is not None]
        return "mean IoU: " + " · ".join(told) if told else ""

    def _note(self, scene: Scene) -> str:
        if self._refused:
            return f"No scores: {self._refused}"
        entry = scene.entry
        caution = f" {entry.caution}." if entry is not None and entry.caution else ""
        truth = "" if self._truth is not None else " With a mask of the truth each of them is scored."
        if self._alone:
            return f"What each depth says without the others; H shows the probability of one class.{truth}{caution}"
        cut = "One network, its skips cut off behind the scores: a network taught without them may do better."
        return f"{cut}{truth}{caution}"

    def missing(self, scene: Scene) -> str:
        if scene.picture is None or not scene.state.model:
            return f"Open an image. {CHOOSE}"
        answer = scene.shown_depths
        if answer is not None and answer.refusal:
            return f"{answer.refusal}."
        if self._depths(scene) is not None:
            return ""
        return "Scoring the depths…" if scene.job(Kind.DEPTHS) is not None else CHOOSE

    def what(self, scene: Scene) -> str:
        depths = self._depths(scene)
        if depths is None:
            return ""
        grid = words.shape(depths.maps[0].shape[1:])
        return f"{words.many(len(depths.maps), 'depth')} on a grid of {grid}, then × {depths.stride}"

    def hover(self, point: tuple[float, float] | None) -> None:
        self.views.point_at(point)

    # --------------------------------------------------------------------------------- gestures

    def _fade(self, at: int, value: float) -> None:
        if self._scene is not None:
            fades = list(self._scene.state.upsampling_lab.fades)
            fades[at] = value
            self._change(fades=tuple(fades))

    # --------------------------------------------------------------------------------- leaving

    def picture(self) -> QImage:
        return self.views.picture()

    def svg(self) -> bytes:
        return b""

    def rows(self) -> Rows:
        """The scores of each view."""
        rows: Rows = [["what", "weights", "changed", "pixel_accuracy", "mean_accuracy", "mean_iou",
                       "frequency_weighted_iou"]]  # fmt: skip
        for one in self._shown:
            if one.weights is not None:
                found = one.score
                four = (
                    [found.pixel_accuracy, found.mean_accuracy, found.mean_iou, found.frequency_weighted_iou]
                    if found is not None
                    else [""] * 4
                )
                rows.append([one.title, " ".join(f"{weight:g}" for weight in one.weights), one.changed, *four])
        return rows if len(rows) > 1 else []

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return None


def values_of(depths: Depths) -> int:
    """How many scores a view is made of."""
    return len(depths.classes) * depths.lattice.rows * depths.lattice.columns


def _percents(fades: Sequence[float]) -> str:
    return ", ".join(f"{pool} {fade * 100:.0f}{words.NARROW}%" for pool, fade in zip(POOLS, fades, strict=False))

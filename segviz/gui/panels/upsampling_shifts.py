"""From a coarse grid to pixels without upsampling: whole fields, central pixels, shift and stitch (T20, T23)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from segviz.core.choices import Method
from segviz.gui import gestures, theme, words
from segviz.gui.identity import Same
from segviz.gui.panels.lab_page import Rows
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.linked_views import LinkedViews
from segviz.gui.widgets.player import Player
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.requests import Network, Prediction
    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import Commands
    from segviz.gui.panels.upsampling_planes import Planes
    from segviz.gui.scene import Scene

Choose = Callable[[Method], None]
COARSE = (Method.UPSAMPLED, Method.COARSE, Method.DIRECT)  # methods whose logits are on the network's own grid
STITCHED = (Method.DENSE, Method.SHIFT_AND_STITCH)
LONGEST = 480  # side, in pixels, at which whole fields are drawn
CLASSIFIER = "This is about classifiers: choose one, such as EfficientNet-Lite0 or LeNet-5."
OPEN = "Open an image and a classifier."


class _Viewed:
    """Views over the photograph that show a prediction: what both pages share."""

    drawn = False
    settings: QWidget
    stage: QWidget

    def __init__(self, name: str, count: int, commands: Commands, choose: Choose, buttons: dict[Method, str]) -> None:
        self._commands = commands
        self._planes: list[Planes] = []
        self._photo: object = None
        self._key: object = None
        self.views = LinkedViews(name, count)
        self.stage = self.views
        self.facts, self.note = ElidedLabel(), WrappedLabel()
        self.facts.setFont(theme.numbers())
        theme.set_role(self.note, "caption")
        self.buttons = {method: QPushButton(text) for method, text in buttons.items()}
        for method, button in self.buttons.items():
            button.clicked.connect(lambda _, m=method: choose(m))
        self.settings = self._make_settings()
        self._show_buttons(None)
        self.views.hovered.connect(lambda x, y: self._commands.point_at((x, y)))
        self.views.left.connect(lambda: self._commands.point_at(None))

    def _show_buttons(self, scene: Scene | None) -> None:
        """What the network does not answer by cannot be pressed, and says why."""
        for method, button in self.buttons.items():
            why = gestures.no_method(scene, method) if scene is not None else ""
            button.setEnabled(not why)
            button.setToolTip(why or f"Choose the method: {method.hint}")

    def _controls(self) -> list[QWidget]:
        """What stands between buttons and facts."""
        return []

    def _make_settings(self) -> QWidget:
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        line = QHBoxLayout()
        line.setSpacing(theme.S)
        for button in self.buttons.values():
            line.addWidget(button)
        line.addStretch(1)
        column.addLayout(line)
        for part in (*self._controls(), self.facts, self.note):
            column.addWidget(part)
        column.addStretch(1)
        return whole

    def _begin(self, scene: Scene) -> list[Planes]:
        """The layers of the views, over the scene's photograph."""
        from segviz.gui.panels import upsampling_planes

        picture = scene.picture
        assert picture is not None
        if self._photo is not picture:
            self._photo = picture
            photo = upsampling_planes.photo(picture)
            self._planes = [upsampling_planes.Planes() for _ in self.views.views]
            for planes, view in zip(self._planes, self.views.views, strict=True):
                planes.set_picture(picture, photo)
                view.set_content((picture.width, picture.height), planes.layers)
            self.views.arrange()
        return self._planes

    def _repaint(self) -> None:
        for view in self.views.seen:
            view.view.update()

    def hover(self, point: tuple[float, float] | None) -> None:
        self.views.point_at(point)

    def picture(self) -> QImage:
        return self.views.picture()

    def svg(self) -> bytes:
        return b""


class DirectPage(_Viewed):
    """Each unit's label for its whole receptive field, against its label for the pixels about the field's centre."""

    def __init__(self, commands: Commands, choose: Choose) -> None:
        super().__init__(
            "Whole fields and central pixels", 3, commands, choose, {Method.UPSAMPLED: "Run on the network's own grid"}
        )
        self._shares: tuple[float, ...] = ()

    def show(self, scene: Scene) -> None:
        state, prediction = scene.state, scene.answer
        lacking = self.missing(scene)
        self._show_buttons(scene)
        fits = prediction is not None and prediction.method not in COARSE and lacking != CLASSIFIER
        self.buttons[Method.UPSAMPLED].setVisible(fits)
        key = (
            Same(prediction),
            Same(scene.network),
            Same(scene.picture),
            state.palette,
            state.opacity,
            state.hidden,
            state.solo,
            state.minimum,
        )
        if lacking:
            self._key, self._shares = None, ()
            self.facts.setText("")
            self.note.say("")
        elif key != self._key:
            self._key = key
            self._fill(scene)

    def _fill(self, scene: Scene) -> None:
        import numpy as np

        from segviz.core import fading
        from segviz.gui.panels import upsampling_planes

        prediction, network = scene.answer, scene.known
        assert prediction is not None
        assert network is not None
        fields, surest, lattice = whole_fields(prediction, network)
        central = fading.labels_at(prediction.logits.argmax(0), lattice, *fields.shape)
        central_sure = fading.labels_at(upsampling_planes.confidence_of(prediction.logits), lattice, *fields.shape)
        sure = central_sure.astype(np.uint8, copy=False)
        height, width = prediction.labels.shape
        where = pixels_of(fields.shape, height, width)
        differs = fields != central
        first, second, third = self._begin(scene)
        first.set_labels(fields, where, prediction.classes, scene.state, confidence=surest)
        second.set_labels(central, where, prediction.classes, scene.state, confidence=sure)
        red = theme.tokens().color("bad")
        third.set_marked(differs, where, (red.red(), red.green(), red.blue()))
        size = network.geometry.field("last", *(side // 2 for side in network.geometry.grid("last"))).box
        share = float(differs.mean())
        self._shares = (share,)
        views = self.views.views
        views[0].say(
            "Whole field", f"each label on {words.size(size.width, size.height)} network pixels, the surest on top"
        )
        views[1].say("Central pixel", "each label on the pixels nearest to the field's centre")
        views[2].say("Difference", f"{words.share(share)} of the pixels are labelled otherwise")
        self.facts.setText(f"{words.share(share)} of the pixels are labelled otherwise")
        self.note.say(
            "A label for the whole field covers far more than the thing that the unit saw. Both are drawn from the "
            f"same logits, at {words.size(fields.shape[1], fields.shape[0])} pixels."
        )
        self._repaint()

    def missing(self, scene: Scene) -> str:
        prediction, network = scene.answer, scene.known
        if scene.picture is None or not scene.state.model:
            return OPEN
        if network is not None and (network.window is None or network.refusal):
            return CLASSIFIER
        if network is None or prediction is None:
            return scene.unanswered or "The two maps come with the network's answer: wait for the run."
        if prediction.method not in COARSE or prediction.logits.shape[1:] != network.geometry.grid("last"):
            return "Both are about the network's own grid: run the method 'Upsampled'."
        return ""

    def what(self, scene: Scene) -> str:
        prediction = scene.answer
        if prediction is None or self.missing(scene):
            return ""
        rows, columns = prediction.logits.shape[1:]
        return f"grid of {words.shape((rows, columns))}"

    def rows(self) -> Rows:
        return [["what", "share"], *(["differs", share] for share in self._shares)] if self._shares else []

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return None


class ShiftsPage(_Viewed):
    """The dense map again, pass by pass: the coarse map of each shift fills every f-th pixel."""

    def __init__(self, commands: Commands, choose: Choose) -> None:
        self.player = Player("passes")
        self.player.moved.connect(lambda _: self._paint())
        self._scene: Scene | None = None
        self._labels: Any = None
        self._sure: Any = None  # the confidence of each
        self._every = 1
        self._runs: dict[Method, Prediction] = {}  # the newest of each way to the dense map
        names = {Method.DENSE: "Run dense (à trous)", Method.SHIFT_AND_STITCH: "Run shift and stitch"}
        super().__init__("Shift and stitch", 2, commands, choose, names)

    def _controls(self) -> list[QWidget]:
        return [self.player]

    def show(self, scene: Scene) -> None:
        self._scene, prediction, state = scene, scene.answer, scene.state
        if prediction is not None and prediction.method in STITCHED:
            self._runs[prediction.method] = prediction
        lacking = self.missing(scene)
        self._show_buttons(scene)
        for button in self.buttons.values():
            button.setVisible(lacking != CLASSIFIER)
        self.player.setVisible(not lacking)
        key = (
            Same(prediction),
            Same(scene.picture),
            state.palette,
            state.opacity,
            state.hidden,
            state.solo,
            state.minimum,
        )
        if lacking:
            self._key = self._labels = None
            self.player.stop()
            self.facts.setText("")
            self.note.say("")
        elif key != self._key:
            another = self._key is None or key[0] != self._key[0]  # type: ignore[index]
            self._key = key
            assert prediction is not None
            if another:
                from segviz.gui.panels import upsampling_planes

                self._labels = prediction.logits.argmax(0)
                self._sure = upsampling_planes.confidence_of(prediction.logits)
                self._every = passes_of(scene) or 1
                self.player.set_count(self._every**2)
            self._begin(scene)
            self._paint()
            self.note.say(self._compared(prediction))

    def _paint(self) -> None:
        import numpy as np

        scene = self._scene
        prediction = scene.answer if scene is not None else None
        if scene is None or prediction is None or self._labels is None:
            return
        n, position = self._every, self.player.position
        down, across = divmod(position, n)
        order = np.add.outer(np.arange(self._labels.shape[0]) % n * n, np.arange(self._labels.shape[1]) % n)
        whole = np.where(order <= position, self._labels, -1)
        coarse = self._labels[down::n, across::n]
        first, second = self._planes
        where = coarse_lattice(prediction, coarse.shape, n, down, across)
        classes, state = prediction.classes, scene.state
        first.set_labels(whole, prediction.lattice, classes, state, confidence=self._sure)
        second.set_labels(coarse, where, classes, state, confidence=self._sure[down::n, across::n])
        done = float((order <= position).mean())
        views = self.views.views
        views[0].say("Interleaved", f"{position + 1} of {n * n} passes, {words.share(done)} of the units")
        step = grid_step(prediction)
        shift = f"image shifted by {across * step} to the left, {down * step} up"
        views[1].say(f"Pass ({down}, {across})", f"{shift}: {words.shape(coarse.shape)} units")
        self.facts.setText(
            f"pass {position + 1} of {n * n} · rows {down}, {down + n}, … · columns {across}, {across + n}, …"
        )
        self._repaint()

    def _compared(self, prediction: Prediction) -> str:
        """What is said of the other way to the same numbers: measured where both have run."""
        other = next(method for method in STITCHED if method is not prediction.method)
        rival = self._runs.get(other)
        shown = f"Replayed from the map that '{prediction.method.title}' made in {words.duration(prediction.seconds)}."
        same = rival is not None and replace(rival.request, method=prediction.method) == prediction.request
        if rival is None or not same or rival.logits.shape != prediction.logits.shape:
            return f"{shown} Run '{other.title}' too, and the largest difference of both stands here."
        apart = float(abs(rival.logits - prediction.logits).max())
        took = words.duration(rival.seconds)
        return f"{shown} '{other.title}' took {took}; the logits of both differ by {words.exponent(apart)} at most."

    def missing(self, scene: Scene) -> str:
        prediction, network = scene.answer, scene.known
        if scene.picture is None or not scene.state.model:
            return OPEN
        if network is not None and network.window is None:
            return CLASSIFIER
        if network is None or prediction is None:
            return scene.unanswered or "The passes come with the network's answer: wait for the run."
        if prediction.method not in STITCHED:
            return "Run one of the two: both make a unit for every pixel. LeNet-5 on a small image takes a moment."
        if passes_of(scene) is None:
            return "The grid is not finer than the network's own: choose a grid stride that divides the network's."
        return ""

    def what(self, scene: Scene) -> str:
        return "" if self.missing(scene) else f"stride {self._every * self._step(scene)}, {self._every**2} shifts"

    def _step(self, scene: Scene) -> int:
        return grid_step(scene.answer) if scene.answer is not None else 1

    def rows(self) -> Rows:
        """Each pass with its shift and how many units it fills."""
        if self._labels is None:
            return []
        n = self._every
        found = [[down, across, self._labels[down::n, across::n].size] for down in range(n) for across in range(n)]
        return [["rows", "columns", "units"], *found]

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return ("shift-and-stitch.gif", self._frames) if self._labels is not None else None

    def _frames(self) -> Frames:
        """A frame for each pass, of views that nobody sees."""
        scene = self._scene
        if scene is None or self._labels is None:
            return
        page = ShiftsPage(self._commands, lambda method: None)
        try:
            page.views.resize(self.views.size())
            page.show(scene)
            page.views.grab()  # lays it out, so that its views have their sizes
            page.player.blockSignals(True)
            for position in range(page.player.count):
                page.player.go(position)
                page._paint()
                yield page.picture()
        finally:
            for part in (page.views, page.settings):
                part.deleteLater()


def grid_step(prediction: Prediction) -> int:
    """Network pixels from unit to unit of a dense map."""
    return prediction.request.grid_stride or 1


def passes_of(scene: Scene) -> int | None:
    """How many shifts along each axis a dense map is made of; None where it is not finer than the network's grid."""
    own, prediction = gestures.own_stride(scene.known), scene.answer
    if own is None or prediction is None or own % grid_step(prediction):
        return None
    return own // grid_step(prediction) if own > grid_step(prediction) else None


def coarse_lattice(prediction: Prediction, shape: tuple[int, int], n: int, down: int, across: int) -> Any:
    """Where the units of one pass sit: every n-th of the dense map, from (down, across) on."""
    from segviz.core.frames import Lattice

    start = prediction.lattice.position_of(down, across)
    return Lattice(*shape, start, (prediction.lattice.stride[0] * n, prediction.lattice.stride[1] * n))


def pixels_of(shape: tuple[int, int], height: int, width: int) -> Any:
    """Where the pixels of an image that was shrunk to `shape` lie in the image."""
    from segviz.core.frames import Lattice

    y, x = height / shape[0], width / shape[1]
    return Lattice(*shape, ((x - 1) / 2, (y - 1) / 2), (x, y))


def whole_fields(prediction: Prediction, network: Network) -> tuple[Any, Any, Any]:
    """Labels (H, W) of whole fields and their confidence, at most `LONGEST` pixels a side, and where the units sit."""
    from segviz.core import direct
    from segviz.core.field import Box

    height, width = prediction.labels.shape
    zoom = min(1.0, LONGEST / max(height, width))
    tall, wide = max(1, round(height * zoom)), max(1, round(width * zoom))
    zoom_y, zoom_x = tall / height, wide / width

    def box(row: int, column: int) -> Box:
        found = network.frame.box_to_image(network.geometry.field("last", row, column).box).clipped(width, height)
        edges = (found.left * zoom_x, found.top * zoom_y, found.right * zoom_x, found.bottom * zoom_y)
        return Box(*(round(edge) for edge in edges))

    rows, columns = prediction.logits.shape[1:]
    down, across = [box(row, 0) for row in range(rows)], [box(0, column) for column in range(columns)]
    edges = [(int(b.top), int(b.bottom)) for b in down], [(int(b.left), int(b.right)) for b in across]
    painting = direct.direct(prediction.logits, *edges, tall, wide)
    while True:
        try:
            next(painting)
        except StopIteration as end:
            return end.value.labels, end.value.confidence, prediction.lattice.resized((zoom_y, zoom_x))

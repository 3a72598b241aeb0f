"""Where the parameters are: the network's layers beside dense layers in its place (T07)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from segviz.core import parameters
from segviz.core.parameters import COLOUR, GREY, Counted
from segviz.gui import theme, words
from segviz.gui.panels.lab_page import Change, Rows, stand
from segviz.gui.widgets.bars import Bar, BarRows
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.gui.filming import Frames
    from segviz.gui.scene import Scene

CHOOSE = "Choose a network, or the lecture's LeNet-5: its parameters are counted here."
EXPLAINED = (
    "Both charts have one scale. A convolution has as many weights for any size of the image; a dense layer has one "
    "for each pair of input and output. Colour in place of grey changes the first layer alone."
)
WIDEST = 640  # of a chart, before `theme.px`


class _Chart(QWidget):
    """A title with its total, and a bar for each layer; more than fit are scrolled."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.title, self.bars = ElidedLabel(), BarRows(1)
        self.bars.setAccessibleName(name)
        self.title.setFont(theme.body(strong=True))
        room = QWidget()
        theme.set_surface(room, "panel")
        room.setMaximumWidth(theme.px(WIDEST))
        inside = QVBoxLayout(room)
        inside.setContentsMargins(0, 0, theme.S, 0)
        inside.addWidget(self.bars)
        inside.addStretch(1)
        self.area = QScrollArea()
        self.area.setProperty("kind", "reader")
        self.area.setAccessibleName("Parameters by layer")
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidgetResizable(True)
        self.area.setWidget(room)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.L, theme.M, theme.M, theme.M)
        column.setSpacing(theme.S)
        column.addWidget(self.title)
        column.addWidget(self.area, 1)

    def show_counts(self, title: str, counts: Sequence[Counted], most: int) -> None:
        """Show these, a bar of full length for `most` parameters."""
        total = sum(one.parameters for one in counts)
        self.title.setText(f"{title}: {words.many(total, 'parameter')}")
        t = theme.tokens(self.palette())
        self.bars.set_bars(
            tuple(
                Bar(
                    one.layer,
                    one.parameters / most,
                    f"{words.count(one.parameters)} · {words.share(one.parameters / total)}",
                    colour=t.color("warn" if one.dense else "accent").name(),
                )
                for one in counts
            )
        )


class ParametersPage:
    """Two charts: the network, and what would answer as it does with dense layers alone."""

    drawn = False

    def __init__(self, change: Change) -> None:
        self._counts: tuple[tuple[Counted, ...], tuple[Counted, ...]] = ((), ())
        self._scene: Scene | None = None
        self.which = Segmented(
            [
                (False, "This network", "The network that is open"),
                (True, "LeNet-5", "The lecture's LeNet-5 and its MLP"),
            ],
            "Whose parameters are counted",
        )
        self.which.changed.connect(lambda lecture: change(lecture=lecture))
        self.channels = Segmented(
            [(False, "Grey", "One channel"), (True, "RGB", "Three channels")], "Channels of the image"
        )
        self.channels.changed.connect(lambda colour: change(colour=colour))
        self.said = ElidedLabel()
        self.said.setFont(theme.numbers())
        self.note = WrappedLabel(EXPLAINED)
        theme.set_role(self.note, "caption")
        self.settings = self._make_settings()
        self.network, self.dense = (
            _Chart("Parameters of the network"),
            _Chart("Parameters of dense layers in its place"),
        )
        self.stage: QWidget = _Stage(self.network, self.dense, self._repaint)

    def _make_settings(self) -> QWidget:
        whole = QWidget()
        choices = QHBoxLayout()
        choices.setSpacing(theme.M)
        for part in (self.which, self.channels):
            choices.addWidget(part)
        self.legend = QLabel()
        choices.addWidget(self.legend)
        choices.addStretch(1)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addLayout(choices)
        column.addWidget(self.said)
        column.addWidget(self.note)
        column.addStretch(1)
        return whole

    # -------------------------------------------------------------------------------- showing

    def show(self, scene: Scene) -> None:
        self._scene = scene
        lab, network = scene.state.convolution_lab, scene.known
        self.which.set_value(lab.lecture)
        colour = _colour(scene)
        self.channels.set_value(colour)
        channels = COLOUR if colour else GREY
        if lab.lecture:
            _, height, width = parameters.LENET_INPUT
            dense = parameters.perceptron(channels * height * width, parameters.LENET_HIDDEN, parameters.LENET_CLASSES)
            self._fill(_titled("LeNet-5", GREY, channels), parameters.lenet(channels), dense)
        elif network is not None:
            found, dense_ones = parameters.of_network(network, channels), parameters.alternative(network, channels)
            own = network.entry.input_size[0]
            self._fill(_titled(network.title, own, channels), found, dense_ones)
        else:
            self._counts = ((), ())
            self.said.setText("")

    def _fill(self, title: str, counts: tuple[Counted, ...], dense: tuple[Counted, ...]) -> None:
        self._counts = counts, dense
        most = max(one.parameters for one in (*counts, *dense))
        self.network.show_counts(title, counts, most)
        self.dense.show_counts("Dense layers alone", dense, most)
        total = sum(one.parameters for one in counts)
        share = sum(one.parameters for one in counts if one.dense) / total
        more = sum(one.parameters for one in dense) / total
        first = f"{counts[0].layer} {words.many(counts[0].parameters, 'parameter')}"
        self.said.setText(
            f"{words.share(share)} of them are dense · first layer: {first} · dense layers alone: {words.factor(more)}"
        )
        t = theme.tokens(self.legend.palette())
        self.legend.setText(
            f"<span style='color:{t.color('accent').name()}'>■</span> convolution &nbsp; "
            f"<span style='color:{t.color('warn').name()}'>■</span> dense"
        )

    def _repaint(self) -> None:
        """The look has changed."""
        if self._scene is not None:
            self.show(self._scene)

    def missing(self, scene: Scene) -> str:
        return "" if scene.state.convolution_lab.lecture or scene.known is not None else CHOOSE

    def what(self, scene: Scene) -> str:
        lab, network = scene.state.convolution_lab, scene.known
        title = "LeNet-5" if lab.lecture else network.title if network is not None else ""
        return f"{title} for {'colour' if _colour(scene) else 'grey'} images" if title else ""

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: parameters have no place in the image."""

    # --------------------------------------------------------------------------------- leaving

    def picture(self) -> QImage:
        return self.stage.grab().toImage()

    def svg(self) -> bytes:
        return b""

    def rows(self) -> Rows:
        """Every layer of both."""
        rows: Rows = [["what", "layer", "dense", "parameters"]]
        for what, counts in zip(("network", "dense layers alone"), self._counts, strict=True):
            rows += [[what, one.layer, one.dense, one.parameters] for one in counts]
        return rows if len(rows) > 1 else []

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return None


def _titled(title: str, own: int, channels: int) -> str:
    """A network's title, with what it is counted for where it takes another image."""
    return title if channels == own else f"{title} for {'colour' if channels == COLOUR else 'grey'} images"


def _colour(scene: Scene) -> bool:
    """Whether counts are those for RGB: as chosen, else as what is counted takes it."""
    lab, network = scene.state.convolution_lab, scene.known
    if lab.colour is not None:
        return lab.colour
    return not lab.lecture and network is not None and network.entry.input_size[0] == COLOUR


class _Stage(QWidget):
    """Both charts, one above the other where it is narrow; their colours follow the look."""

    def __init__(self, network: QWidget, dense: QWidget, repaint: Callable[[], None]) -> None:
        super().__init__()
        self._repaint, self._charts = repaint, (network, dense)
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        for chart in self._charts:
            self._box.addWidget(chart, 1)
        self.setAccessibleName("Parameters")
        theme.set_surface(self, "panel")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = stand(self._box, self.width())
        for chart, share in zip(self._charts, (1, 1) if beside else (2, 1), strict=True):
            self._box.setStretchFactor(chart, share)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self._repaint()

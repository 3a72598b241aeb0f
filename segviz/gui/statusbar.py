"""The status bar: image, network, grid, zoom, engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from PySide6.QtWidgets import QLabel, QStatusBar

from segviz.core.choices import Equality, Upsampling
from segviz.core.session import State
from segviz.gui import theme, words
from segviz.gui.names import image_title, opening, sentence, title_of
from segviz.gui.scene import EngineStatus, Scene
from segviz.gui.widgets.elided import ElidedLabel

if TYPE_CHECKING:
    from segviz.core.requests import Network, Prediction

TONES = {EngineStatus.OFF: "dim", EngineStatus.STARTING: "warn", EngineStatus.READY: "ok", EngineStatus.BUSY: "ok"}
SIGNS = {EngineStatus.OFF: "○", EngineStatus.STARTING: "◌", EngineStatus.READY: "●", EngineStatus.BUSY: "◐"}


class StatusBar(QStatusBar):
    """Facts on the left, the engine on the right; remarks cover the facts for a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self.setContentsMargins(theme.M, 0, theme.M, 0)
        self.image, self.network, self.grid = ElidedLabel(), ElidedLabel(), ElidedLabel()
        self.zoom = ElidedLabel()
        self.sign, self.engine = QLabel(), QLabel()
        for label in (self.image, self.network, self.grid, self.zoom):
            theme.set_role(label, "caption")
            label.setContentsMargins(0, 0, theme.L, 0)
            self.addWidget(label)
        theme.set_role(self.engine, "caption")
        self.addPermanentWidget(self.sign)
        self.addPermanentWidget(self.engine)
        self.show_scene(Scene(State()))

    def show_zoom(self, zoom: float) -> None:
        """Say how many pixels of the screen one of the image has."""
        self.zoom.setText(zoom_text(zoom) if zoom > 0 else "")

    def show_scene(self, scene: Scene) -> None:
        """Say what `scene` is about."""
        self.image.setText(image_text(scene))
        self.network.setText(network_text(scene))
        notes = scene.answer.notes if scene.answer is not None else ()
        self.network.setToolTip("\n".join(map(sentence, notes)))
        self.grid.setText(", ".join(part for part in (grid_text(scene), equality_text(scene)) if part))
        proof = scene.answer.exactness if scene.answer is not None else None
        self.grid.setToolTip(sentence(proof.text) if proof is not None else "The units that the network answers with")
        self.sign.setText(SIGNS[scene.engine])
        theme.set_role(self.sign, TONES[scene.engine])
        self.engine.setText(scene.engine.value)
        self.engine.setToolTip(scene.device or "The process that runs the networks")


def image_text(scene: Scene) -> str:
    """'1024 × 681 px RGB': width × height."""
    picture = scene.picture
    if picture is None:
        return opening(image_title(scene.state.image)) if scene.state.image else "no image"
    return f"{picture.width}{words.TIMES}{picture.height} px {picture.kind}"


def network_text(scene: Scene) -> str:
    network = scene.network
    if network is None:
        return opening(title_of(scene.state.model)) if scene.network_comes else ""
    return f"{network.title}, {len(network.classes):,} classes"


def grid_text(scene: Scene) -> str:
    """'grid 11 rows × 16 columns, stride 32': that of the newest scores, their stride in network pixels.

    Before there are any it is the grid that the network has on this image.
    """
    network, prediction = scene.network, scene.answer
    if prediction is not None:
        lattice = prediction.lattice
        zoom_y, zoom_x = network.frame.zoom if _describes(network, prediction) else (prediction.scale,) * 2
        stride = (round(lattice.stride[1] * zoom_y, 3), round(lattice.stride[0] * zoom_x, 3))
        return f"grid {_grid(lattice.rows, lattice.columns)}, stride {words.per_axis(stride)}"
    if network is None:
        return ""
    rows, columns = network.geometry.grid("last")
    y, x = network.geometry.laws("last")
    return f"grid {_grid(rows, columns)}, stride {words.per_axis((y.stride, x.stride))}"


def _grid(rows: int, columns: int) -> str:
    """Said in full: right beside it stands an image's width × height."""
    return f"{words.many(rows, 'row')} × {words.many(columns, 'column')}"


def equality_text(scene: Scene) -> str:
    """Whether the newest scores are the classifier's on windows, in words; '' where nothing is compared.

    What is interpolated between units is so at these alone.
    """
    answer = scene.answer
    if answer is None or answer.exactness is None:
        return ""
    equality, between = answer.exactness.equality, answer.upsampling is not Upsampling.NEAREST
    if equality is Equality.NONE:
        return "scores need not equal the classifier's on windows"
    return f"{'units ' if between else ''}{equality.title.lower()}"


def _describes(network: Network | None, prediction: Prediction) -> TypeGuard[Network]:
    """Whether both are of one network on one image at one scale."""
    if network is None:
        return False
    return network.request.setup == replace(prediction.request.setup, device=network.request.setup.device)


def zoom_text(zoom: float) -> str:
    """'zoom 62 %', finer where it is small."""
    return f"zoom {zoom * 100:.0f} %" if zoom >= 0.095 else f"zoom {zoom * 100:.1f} %"

"""The status bar: image, network, grid, engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from PySide6.QtWidgets import QLabel, QStatusBar

from segviz.core.field import pair
from segviz.core.session import State
from segviz.gui import theme
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
        self.sign, self.engine = QLabel(), QLabel()
        for label in (self.image, self.network, self.grid):
            theme.set_role(label, "caption")
            label.setContentsMargins(0, 0, theme.L, 0)
            self.addWidget(label)
        theme.set_role(self.engine, "caption")
        self.addPermanentWidget(self.sign)
        self.addPermanentWidget(self.engine)
        self.show_scene(Scene(State()))

    def show_scene(self, scene: Scene) -> None:
        """Say what `scene` is about."""
        self.image.setText(image_text(scene))
        self.network.setText(network_text(scene))
        self.grid.setText(grid_text(scene))
        self.sign.setText(SIGNS[scene.engine])
        theme.set_role(self.sign, TONES[scene.engine])
        self.engine.setText(scene.engine.value)
        self.engine.setToolTip(scene.device or "The process that runs the networks")


def image_text(scene: Scene) -> str:
    """'1024 × 681 RGB'."""
    picture = scene.picture
    return f"{picture.width} × {picture.height} {picture.kind}" if picture is not None else "no image"


def network_text(scene: Scene) -> str:
    network = scene.network
    if network is None:
        return ""
    return f"{network.title}, {len(network.classes):,} classes"


def grid_text(scene: Scene) -> str:
    """'grid 11 × 16, stride 32': rows and columns of the newest scores, their stride in network pixels.

    Before there are any it is the grid that the network has on this image.
    """
    network, prediction = scene.network, scene.prediction
    if prediction is not None:
        lattice = prediction.lattice
        zoom_y, zoom_x = network.frame.zoom if _describes(network, prediction) else (prediction.scale,) * 2
        stride = pair(round(lattice.stride[1] * zoom_y, 3), round(lattice.stride[0] * zoom_x, 3))
        return f"grid {lattice.rows} × {lattice.columns}, stride {stride}"
    if network is None:
        return ""
    rows, columns = network.geometry.grid("last")
    y, x = network.geometry.laws("last")
    return f"grid {rows} × {columns}, stride {pair(y.stride, x.stride)}"


def _describes(network: Network | None, prediction: Prediction) -> TypeGuard[Network]:
    """Whether both are of one network on one image at one scale."""
    if network is None:
        return False
    return network.request.setup == replace(prediction.request.setup, device=network.request.setup.device)

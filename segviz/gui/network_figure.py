"""What is drawn of a scene's network: plan, words, light and photograph. What takes time is made once a network."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from segviz.core.field import Box
from segviz.core.folding import INPUT, Folding, Item, Volume
from segviz.core.requests import Network
from segviz.core.volume_layout import Plan, lit, plan_of
from segviz.gui import theme, words
from segviz.gui.panels.network_rows import Row, rows_of
from segviz.gui.scene import Scene, pinned
from segviz.gui.widgets.network_paint import Figure

PHOTOGRAPH = 384  # longest side of the image on its volume, in pixels
BESIDE = 1  # items on each side of a layer that fills the view


class Figures:
    """Makes the figures of one network after the other."""

    def __init__(self) -> None:
        self._network: Network | None = None
        self.folding: Folding | None = None
        self._rows: dict[str, Row] = {}
        self._plan: tuple[frozenset[str], Plan] | None = None
        self._photograph: tuple[object, object, QImage | None] = (None, None, None)

    def follow(self, scene: Scene) -> Folding | None:
        """The folding of the scene's network; None without one."""
        network = scene.network
        if network is not self._network:
            self._network, self._plan = network, None
            self.folding = Folding(network) if network is not None else None
            self._rows = {row.name: row for row in rows_of(network)} if network is not None else {}
        return self.folding

    def plan(self, scene: Scene) -> Plan | None:
        folding, toggled = self.follow(scene), scene.state.network_picture.toggled
        if folding is None:
            return None
        if self._plan is None or self._plan[0] != toggled:
            self._plan = toggled, plan_of(folding, toggled)
        return self._plan[1]

    def figure(self, scene: Scene) -> Figure | None:
        """What is drawn; None without a network."""
        plan, network, layer = self.plan(scene), scene.network, scene.state.layer
        if plan is None or network is None:
            return None
        items, unit = plan.scheme.items, pinned(scene)
        lights: Mapping[int, Box] = {}
        if unit is not None:
            lights = lit(plan, network.geometry, unit.layer, unit.row, unit.column)
        return Figure(
            plan,
            names=tuple(item.label if isinstance(item, Volume) else "" for item in items),
            notes=tuple(self._note(item) for item in items),
            selected=plan.scheme.place_of(layer) if layer is not None else None,
            lit=lights,
            photograph=self._photographed(scene),
            unit=f"unit ({unit.row}, {unit.column}) of {unit.layer}" if unit is not None else "",
        )

    def _note(self, item: Item) -> str:
        """Stride and field, as in the network panel."""
        row = self._rows.get(item.name) if isinstance(item, Volume) else None
        return f"{row.stride}  {row.field}".strip() if row is not None and row.name != INPUT else ""

    def tips(self, scene: Scene) -> tuple[str, ...]:
        """What is said of each item under the mouse."""
        plan = self.plan(scene)
        return tuple(self._tip(item) for item in plan.scheme.items) if plan is not None else ()

    def _tip(self, item: Item) -> str:
        if not isinstance(item, Volume):
            return "Maps are multiplied by a gate" if item.gated else "Maps meet here: added, or laid behind each other"
        row = self._rows.get(item.name)
        lines = [row.tooltip if row is not None else item.name]
        if len(item.layers) > 1:
            lines.append(f"With {', '.join(item.layers[1:])}: these change values alone")
        if item.folded:
            lines.append(f"Folded: {words.many(item.folded, 'volume')}; a double click looks inside")
        return "\n".join(lines)

    def _photographed(self, scene: Scene) -> QImage | None:
        if self._photograph[:2] != (scene.picture, scene.network):
            self._photograph = scene.picture, scene.network, photograph_of(scene)
        return self._photograph[2]


def focus_of(scene: Scene, plan: Plan) -> Box | None:
    """The part of the picture that fills the view; None: all of it."""
    name = scene.state.network_picture.focus
    if name is None:
        return None
    block = plan.scheme.block(name)
    if block is not None:
        return plan.span(block.first, block.last)
    place = plan.scheme.place_of(name)
    if place is None:
        return None
    return plan.span(max(0, place - BESIDE), min(len(plan.solids) - 1, place + BESIDE))


def photograph_of(scene: Scene) -> QImage | None:
    """What the network is given: the image as it lies in the input, padding left free; None without an image."""
    network, picture = scene.network, scene.picture
    if network is None or picture is None or network.frame.image != (picture.height, picture.width):
        return None
    frame = network.frame
    zoom = min(1.0, PHOTOGRAPH / max(frame.outer))
    paper = QImage(
        max(1, round(frame.outer[1] * zoom)), max(1, round(frame.outer[0] * zoom)), QImage.Format.Format_RGB32
    )
    paper.fill(theme.tokens().color("raised"))
    pixels = picture.pixels
    image = QImage(pixels.tobytes(), picture.width, picture.height, 3 * picture.width, QImage.Format.Format_RGB888)
    top, left = (side * zoom for side in frame.corner)
    place = QRectF(left, top, frame.inner[1] * zoom, frame.inner[0] * zoom)
    small = image.scaled(
        max(1, round(place.width())), max(1, round(place.height())), mode=Qt.TransformationMode.SmoothTransformation
    )
    painter = QPainter(paper)
    painter.drawImage(place.topLeft(), small)
    painter.end()
    return paper

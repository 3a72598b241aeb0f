"""What is drawn of a scene's network: plan, words, light and photograph. What takes time is made once a network."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from segviz.core.field import Box
from segviz.core.folding import INPUT, Folding, Item, Volume
from segviz.core.network_picture import Part
from segviz.core.requests import Network
from segviz.core.volume_layout import Plan, lit, plan_of
from segviz.gui import theme, words
from segviz.gui.panels.network_rows import Row, rows_of
from segviz.gui.scene import Scene, pinned
from segviz.gui.what_if_rows import Outcome, WhatIfRow, outcome
from segviz.gui.widgets.network_paint import Figure

PHOTOGRAPH = 384  # longest side of the image on its volume, in pixels
BESIDE = 1  # items on each side of a layer that fills the view


class Figures:
    """Makes the figures of one network after the other."""

    def __init__(self) -> None:
        self._network: Network | None = None
        self.folding: Folding | None = None
        self._rows: tuple[Network, dict[str, Row]] | None = None
        self._plan: tuple[tuple[Network, frozenset[str]], Plan] | None = None
        self._photograph: tuple[object, object, QImage | None] = (None, None, None)
        self._outcome: tuple[object, Outcome] | None = None
        self._edited: tuple[Network, Folding] | None = None

    def follow(self, scene: Scene) -> Folding | None:
        """The folding of the scene's network; None without one."""
        network = scene.network
        if network is not self._network:
            self._network, self._plan, self._outcome, self._edited = network, None, None, None
            self.folding = Folding(network) if network is not None else None
        return self.folding

    def outcome(self, scene: Scene) -> Outcome | None:
        """What would follow from the edits of the State; None without a network."""
        folding, edits = self.follow(scene), scene.state.network_picture.edits
        if folding is None or scene.network is None:
            return None
        if self._outcome is None or self._outcome[0] != edits:
            self._outcome = edits, outcome(scene.network, folding, dict(edits))
        return self._outcome[1]

    def _drawn(self, scene: Scene) -> tuple[Network, Folding] | None:
        """The network that is drawn: with its edits, unless they are refused."""
        found, folding = self.outcome(scene), self.folding
        if found is None or folding is None or scene.network is None:
            return None
        if found.network is scene.network:
            return scene.network, folding
        if self._edited is None or self._edited[0] is not found.network:
            self._edited = found.network, Folding(found.network)
        return self._edited

    def _said(self, network: Network) -> dict[str, Row]:
        """What is said of each layer of the network that is drawn."""
        if self._rows is None or self._rows[0] is not network:
            self._rows = network, {row.name: row for row in rows_of(network)}
        return self._rows[1]

    def plan(self, scene: Scene) -> Plan | None:
        """Where everything lies; what is edited is drawn at the scale of the real network."""
        drawn, toggled = self._drawn(scene), scene.state.network_picture.toggled
        if drawn is None or self.folding is None:
            return None
        key = drawn[0], toggled
        if self._plan is None or self._plan[0][0] is not key[0] or self._plan[0][1] != toggled:
            self._plan = key, plan_of(drawn[1], toggled, self.folding)
        return self._plan[1]

    def figure(self, scene: Scene) -> Figure | None:
        """What is drawn; None without a network."""
        plan, drawn, layer = self.plan(scene), self._drawn(scene), scene.state.layer
        if plan is None or drawn is None:
            return None
        items, geometry, unit = plan.scheme.items, drawn[0].geometry, pinned(scene)
        lights: Mapping[int, Box] = {}
        if unit is not None and unit.row < geometry.grid(unit.layer)[0] and unit.column < geometry.grid(unit.layer)[1]:
            lights = lit(plan, geometry, unit.layer, unit.row, unit.column)
        found = self.outcome(scene)
        moved = {row.name: row for row in found.rows if row.edited} if found is not None else {}
        return Figure(
            plan,
            names=tuple(item.label if isinstance(item, Volume) else "" for item in items),
            notes=tuple(_note(item, self._said(drawn[0])) for item in items),
            selected=plan.scheme.place_of(layer) if layer is not None else None,
            lit=lights,
            photograph=self._photographed(scene),
            unit=f"unit ({unit.row}, {unit.column}) of {unit.layer}" if unit is not None and lights else "",
            remarks={at: remark for at, item in enumerate(items) if (remark := _remark(item, moved))},
        )

    def tips(self, scene: Scene) -> tuple[str, ...]:
        """What is said of each item under the mouse."""
        plan, drawn = self.plan(scene), self._drawn(scene)
        if plan is None or drawn is None:
            return ()
        return tuple(_tip(item, self._said(drawn[0])) for item in plan.scheme.items)

    def _photographed(self, scene: Scene) -> QImage | None:
        if self._photograph[:2] != (scene.picture, scene.network):
            self._photograph = scene.picture, scene.network, photograph_of(scene)
        return self._photograph[2]


def _note(item: Item, rows: Mapping[str, Row]) -> str:
    """Stride and field, as in the network panel."""
    row = rows.get(item.name) if isinstance(item, Volume) else None
    return f"{row.stride}  {row.field}".strip() if row is not None and row.name != INPUT else ""


def _tip(item: Item, rows: Mapping[str, Row]) -> str:
    if not isinstance(item, Volume):
        return "Maps are multiplied by a gate" if item.gated else "Maps meet here: added, or laid behind each other"
    row = rows.get(item.name)
    lines = [row.tooltip if row is not None else item.name]
    if len(item.layers) > 1:
        lines.append(f"With {', '.join(item.layers[1:])}: these change values alone")
    if item.folded:
        lines.append(f"Folded: {words.many(item.folded, 'volume')}; a double click looks inside")
    return "\n".join(lines)


def _remark(item: Item, moved: Mapping[str, WhatIfRow]) -> str:
    """What of a volume's window is another: 'kernel 3 → 5'; of a folded block, that something in it is."""
    if not isinstance(item, Volume):
        return ""
    row = moved.get(item.name)
    if row is not None:
        return ", ".join(f"{part} {row.part(part).text}" for part in Part if row.part(part).moved)
    return "changed" if item.folded and any(name.startswith(f"{item.name}.") for name in moved) else ""


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

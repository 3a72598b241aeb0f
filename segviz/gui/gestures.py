"""What a gesture changes, as pure functions: Scene and gesture in, changes of the State out.

Every gesture of the window ends in `session.update(**changes)` with one of these.
"""

from __future__ import annotations

from typing import Any

from segviz.core.session import Unit
from segviz.gui.scene import Scene

Changes = dict[str, Any]


def pin(scene: Scene, x: float, y: float) -> Changes:
    """A click on the image at (x, y) in image pixels: pin the nearest unit of the current layer."""
    network, layer = scene.network, scene.state.layer
    changes: Changes = {"cursor": (float(x), float(y))}
    if network is not None and layer is not None and network.layer(layer) is not None:
        row, column = network.geometry.cell_at(layer, *network.frame.to_network(x, y))
        changes["unit"] = Unit(_channel(scene, layer), row, column)
    return changes


def _channel(scene: Scene, layer: str) -> int:
    """The channel stays while it exists in the layer."""
    unit, found = scene.state.unit, scene.network and scene.network.layer(layer)
    channels = found.output_shape[0] if found else 1
    return unit.channel if unit is not None and unit.channel < channels else 0


def unpin() -> Changes:
    return {"unit": None, "cursor": None}


def select_layer(scene: Scene, layer: str) -> Changes:
    """Another layer: the cursor stays where it is, the unit is the one that sits there."""
    changes: Changes = {"layer": layer}
    network, cursor = scene.network, scene.state.cursor
    if network is None or cursor is None or network.layer(layer) is None:
        return changes | {"unit": None}
    row, column = network.geometry.cell_at(layer, *network.frame.to_network(*cursor))
    return changes | {"unit": Unit(_channel(scene, layer), row, column)}


def pin_in_map(scene: Scene, channel: int, row: int, column: int) -> Changes:
    """A click in a feature map: that channel's unit, and the cursor moves to where it sits in the image."""
    network, layer = scene.network, scene.state.layer
    if network is None or layer is None:
        return {}
    x, y = network.frame.to_image(*network.geometry.position_of(layer, row, column))
    return {"unit": Unit(channel, row, column), "cursor": (x, y)}


def move(scene: Scene, rows: int, columns: int) -> Changes:
    """The pinned unit moved by whole units (arrow keys), kept inside the grid."""
    network, layer, unit = scene.network, scene.state.layer, scene.state.unit
    if network is None or layer is None or unit is None:
        return {}
    height, width = network.geometry.grid(layer)
    row = max(0, min(height - 1, unit.row + rows))
    column = max(0, min(width - 1, unit.column + columns))
    return pin_in_map(scene, unit.channel, row, column)


def toggle_class(scene: Scene, index: int) -> Changes:
    """The eye of a class in the legend."""
    return {"hidden": scene.state.hidden ^ {index}, "solo": None}


def solo_class(scene: Scene, index: int) -> Changes:
    return {"solo": None if scene.state.solo == index else index}


def visible(scene: Scene, index: int) -> bool:
    """Whether the labels of class `index` are painted."""
    if scene.state.solo is not None:
        return index == scene.state.solo
    return index not in scene.state.hidden

"""What a gesture in the picture of a network changes, as pure functions: Scene in, changes of the State out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from segviz.core.choices import NetworkView
from segviz.core.folding import Folding, Volume
from segviz.core.network_picture import WHOLE, Part
from segviz.core.paddings import PaddingRule
from segviz.core.what_if import Edit, editable
from segviz.gui import gestures
from segviz.gui.scene import Scene

Changes = dict[str, Any]
Gesture = Callable[[Scene, Folding, int], Changes]  # at a place of the picture, or by so many volumes


def show(scene: Scene, view: NetworkView) -> Changes:
    """Put a view of the network in the canvas's place; once more: the image again."""
    if scene.network is None:
        return {}
    return {"network_view": NetworkView.NONE if scene.state.network_view is view else view}


def toggle(scene: Scene, block: str) -> Changes:
    """Fold an open block, or unfold a folded one, in its place."""
    chosen = scene.state.network_picture
    focus = None if chosen.focus == block else chosen.focus
    return {"network_picture": replace(chosen, toggled=chosen.toggled ^ {block}, focus=focus)}


def enter(scene: Scene, folding: Folding, place: int) -> Changes:
    """Into an item: a folded block is unfolded and fills the view, a layer fills it with what stands beside it."""
    chosen = scene.state.network_picture
    item = folding.scheme(chosen.toggled).items[place]
    if not isinstance(item, Volume) or not item.layers:
        return {}
    toggled = chosen.toggled ^ {item.name} if item.folded else chosen.toggled
    return {"network_picture": replace(chosen, toggled=toggled, focus=item.name)}


def outward(scene: Scene, folding: Folding) -> Changes:
    """One step out: from a layer to its open block, from a block to the one around it, at last to the whole."""
    chosen = scene.state.network_picture
    if chosen.focus is None:
        return {"network_picture": WHOLE} if chosen != WHOLE else {}
    opened, above = folding.opened(chosen.toggled), chosen.focus.rpartition(".")[0]
    while above and above not in opened:
        above = above.rpartition(".")[0]
    return {"network_picture": replace(chosen, focus=above or None)}


def whole(scene: Scene) -> Changes:
    """The overview: all of the network, folded as at first."""
    return {"network_picture": replace(scene.state.network_picture, toggled=WHOLE.toggled, focus=None)}


def select(scene: Scene, folding: Folding, place: int) -> Changes:
    """The layer of a volume becomes the current one; the image and joins are no layers."""
    item = folding.scheme(scene.state.network_picture.toggled).items[place]
    if not isinstance(item, Volume) or not item.layers:
        return {}
    return gestures.select_layer(scene, item.name)


def step(scene: Scene, folding: Folding, by: int) -> Changes:
    """The next volume to the right, or to the left."""
    scheme = folding.scheme(scene.state.network_picture.toggled)
    volumes = [at for at, item in enumerate(scheme.items) if isinstance(item, Volume) and item.layers]
    here = scheme.place_of(scene.state.layer) if scene.state.layer is not None else None
    if here not in volumes:
        return select(scene, folding, volumes[0 if by > 0 else -1]) if volumes else {}
    return select(scene, folding, volumes[max(0, min(len(volumes) - 1, volumes.index(here) + by))])


# ---------------------------------------------------------------------------------------- what if


def change_window(scene: Scene, layer: str, part: Part, size: tuple[int, int] | PaddingRule) -> Changes:
    """Another kernel, stride, dilation or padding (y, x) in a layer; what it has anyway is no edit."""
    if scene.network is None:
        return {}
    real = editable(scene.network).get(layer)
    if real is None:
        return {}
    edits = dict(scene.state.network_picture.edits)
    changed: Changes = {part.value: size}  # only padding is ever a word: `read_size`
    edits[layer] = replace(edits.get(layer, real), **changed)
    return _edited(scene, {name: edit for name, edit in edits.items() if name != layer or edit != real})


def choose_layer(scene: Scene, layer: str) -> Changes:
    """The layer of a row becomes the current one."""
    return gestures.select_layer(scene, layer) if layer != scene.state.layer else {}


def reset_layer(scene: Scene, layer: str) -> Changes:
    """The window that a layer has in the real network."""
    return _edited(scene, {name: edit for name, edit in scene.state.network_picture.edits if name != layer})


def reset_windows(scene: Scene) -> Changes:
    """All windows as they are in the real network."""
    return _edited(scene, {})


def _edited(scene: Scene, edits: Mapping[str, Edit]) -> Changes:
    return {"network_picture": replace(scene.state.network_picture, edits=tuple(edits.items()))}

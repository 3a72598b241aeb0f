"""What a gesture changes, as pure functions: Scene and gesture in, changes of the State out.

Every gesture of the window ends in `session.update(**changes)` with one of these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segviz.core import assets, catalogue, laboratory
from segviz.core.capabilities import unfit
from segviz.core.choices import Heat, Method, NetworkView, Task, View
from segviz.core.entries import Entry
from segviz.core.folding import parents
from segviz.core.overrides import viewed
from segviz.core.requests import SMALLEST_SCALE, Network
from segviz.core.session import State, Unit
from segviz.core.specs import Kind, parse, same_network
from segviz.core.top_patches import TopAnswer
from segviz.gui import names
from segviz.gui.scene import Scene, Tab

Changes = dict[str, Any]
DIGITS = "lenet5"  # the network that reads digits
FIRST = "fcn8s-efficientnet_lite0"  # the network that the window opens on where nobody says which

GRID_STEPS = (1, 2, 3, 4, 8, 16)  # grid strides offered, in strides of the network: what both sides of a race can take
MANY_CLASSES = 20  # above this one class at a time is easier to read than all labels
WINDOWS_HIGH = 2.75  # a drawing is as high for a classifier as so many of its windows: digits are then drawn with ease


def pin(scene: Scene, x: float, y: float) -> Changes:
    """A click on the image at (x, y) in image pixels: pin the nearest unit of the current layer."""
    network, layer = scene.network, scene.state.layer
    changes: Changes = {"cursor": (float(x), float(y))}
    if network is not None and layer is not None and network.layer(layer) is not None:
        row, column = network.geometry.cell_at(layer, *network.frame.to_network(x, y))
        changes["unit"] = Unit(_channel(scene, layer, x, y), row, column)
    return changes


def _channel(scene: Scene, layer: str, x: float, y: float) -> int:
    """The class that answers for (x, y) in the last layer; elsewhere the channel stays while it exists."""
    answered = _class_at(scene, layer, x, y)
    if answered is not None:
        return answered
    unit, found = scene.state.unit, scene.network and scene.network.layer(layer)
    channels = found.maps[0] if found else 1
    return unit.channel if unit is not None and unit.channel < channels else 0


def _class_at(scene: Scene, layer: str, x: float, y: float) -> int | None:
    """The class whose unit answers for (x, y); None where the layer's channels are not the classes."""
    network, prediction = scene.network, scene.prediction
    if network is None or prediction is None or layer != network.geometry.last:
        return None
    if prediction.request.setup.model != network.request.setup.model:
        return None
    found = network.layer(layer)
    if found is None or found.maps[0] != len(prediction.classes):
        return None
    if scene.state.view is View.HEATMAP:
        return scene.shown_class
    from segviz.core import scores  # loads numpy, which is there once there is a prediction

    best = scores.ranking(prediction, x, y, 1)
    return best[0].index if best else None


def unpin() -> Changes:
    return {"unit": None, "cursor": None}


def settle_layer(scene: Scene) -> Changes:
    """A layer that the network does not have becomes its last; the pinned unit follows the cursor."""
    network, state = scene.network, scene.state
    assert network is not None
    known = state.layer is not None and network.layer(state.layer) is not None
    layer = state.layer if known and state.layer is not None else network.geometry.last
    return select_layer(scene, layer) if not known or state.cursor is not None else {}


def select_layer(scene: Scene, layer: str) -> Changes:
    """Another layer: the cursor stays where it is, the unit is the one that sits there."""
    changes: Changes = {"layer": layer}
    network, cursor = scene.network, scene.state.cursor
    if network is None or cursor is None or network.layer(layer) is None:
        return changes | {"unit": None}
    row, column = network.geometry.cell_at(layer, *network.frame.to_network(*cursor))
    return changes | {"unit": Unit(_channel(scene, layer, *cursor), row, column)}


def next_layer(scene: Scene, step: int) -> Changes:
    """The layer `step` further down the network ([ and ]): blocks while a block is current, else leaves.

    Stops at both ends; with no layer current, the first (or, backwards, the last) block.
    """
    if scene.network is None or not scene.network.layers:
        return {}
    rows = top_rows(scene.network)
    if scene.state.layer is not None and scene.state.layer not in rows:
        rows = tuple(layer.name for layer in scene.network.layers if layer.leaf)
    if scene.state.layer not in rows:
        return select_layer(scene, rows[0 if step > 0 else -1])
    at = rows.index(scene.state.layer)
    wanted = max(0, min(len(rows) - 1, at + step))
    return {} if wanted == at else select_layer(scene, rows[wanted])


def next_field(scene: Scene, step: int) -> Changes:
    """The next layer down (or, backwards, up) whose receptive field has another size: the last ones often share one."""
    network, start = scene.network, scene.state.layer
    if network is None or start is None or network.layer(start) is None:
        return next_layer(scene, step)
    at, size = scene, _field_of(network, start)
    while True:
        changes = next_layer(at, step)
        if not changes:
            return select_layer(scene, str(at.state.layer)) if at is not scene else {}
        at = replace(at, state=replace(at.state, **changes))
        if _field_of(network, str(at.state.layer)) != size:
            return select_layer(scene, str(at.state.layer))


def _field_of(network: Network, name: str) -> tuple[object, str] | None:
    layer = network.layer(name)
    return (layer.size, layer.status) if layer is not None else None


def top_rows(network: Network) -> tuple[str, ...]:
    """The rows that show a network at a glance: a mere list of blocks stands for nothing but its blocks."""
    held_by = parents(network)
    leaf = {layer.name: layer.leaf for layer in network.layers}
    below: dict[str | None, list[str]] = {}
    for name, parent in held_by.items():
        below.setdefault(parent, []).append(name)

    roots = below.get(None, [])
    while len(roots) == 1 and below.get(roots[0]):
        roots = below[roots[0]]

    def shown(name: str) -> list[str]:
        children = below.get(name, [])
        return children if len(children) > 1 and not any(leaf[child] for child in children) else [name]

    return tuple(row for name in roots for row in shown(name))


def pin_in_map(scene: Scene, channel: int, row: int, column: int) -> Changes:
    """A click in a feature map: that channel's unit, and the cursor moves to where it sits in the image."""
    network, layer = scene.network, scene.state.layer
    if network is None or layer is None:
        return {}
    x, y = network.frame.to_image(*network.geometry.position_of(layer, row, column))
    return {"unit": Unit(channel, row, column), "cursor": (x, y)}


def cell_at(scene: Scene, point: tuple[float, float] | None) -> tuple[int, int] | None:
    """(row, column) of the unit of the selected layer at a pixel of the image; None where there is none."""
    network, layer = scene.network, scene.state.layer
    if network is None or layer is None or point is None or network.layer(layer) is None:
        return None
    return network.geometry.cell_at(layer, *network.frame.to_network(*point))


def look_at_map(scene: Scene, channel: int) -> Changes:
    """Another map of the layer: a pinned unit goes over to it, at its row and column."""
    unit = scene.state.unit
    return {"map_channel": channel} | ({"unit": replace(unit, channel=channel)} if unit is not None else {})


def open_patch(found: TopAnswer, index: int) -> Changes:
    """The image of a patch, with the unit pinned whose field it is."""
    patch = found.patches[index]
    unit = Unit(found.request.channel, patch.row, patch.column)
    return {"image": patch.image, "unit": unit, "cursor": patch.position}


def move(scene: Scene, rows: int, columns: int) -> Changes:
    """The pinned unit moved by whole units (arrow keys), kept inside the grid."""
    network, layer, unit = scene.network, scene.state.layer, scene.state.unit
    if network is None or layer is None or unit is None:
        return {}
    height, width = network.geometry.grid(layer)
    row = max(0, min(height - 1, unit.row + rows))
    column = max(0, min(width - 1, unit.column + columns))
    return pin_in_map(scene, unit.channel, row, column)


def own_stride(network: Network | None) -> int | None:
    """The stride of the network's answer in network pixels; None without a network, or with no whole one."""
    return network.geometry.whole_stride("last") if network is not None else None


def grid_stride(scene: Scene, step: int) -> Changes:
    """A grid stride of `step` of the network's own; nothing without a network, or where it has no whole one."""
    if step == 1 and scene.network is not None:
        return {"grid_stride": None}
    own = own_stride(scene.network)
    return {} if own is None else {"grid_stride": step * own}


def step(scene: Scene, rows: int, columns: int) -> Changes:
    """An arrow key on the canvas: the window goes by the grid's stride where there is one, else the unit by one."""
    return move_window(scene, rows, columns) if scene.state.window is not None else move(scene, rows, columns)


def no_window(scene: Scene) -> str:
    """Why there is no window to drag, for people; empty where there is one."""
    network = scene.network
    if scene.picture is None or network is None:
        return "A window needs an image and a network: choose both first."
    if network.window is None:
        return f"{network.title} answers for every pixel by itself: it has no window to drag. Choose a classifier."
    seen, size = network.input_shape[1:], network.window
    if seen[0] < size[0] or seen[1] < size[1]:
        return (
            f"For {network.title} the image is {seen[1]} × {seen[0]} pixels, smaller than its window of "
            f"{size[1]} × {size[0]}: raise the scale."
        )
    return ""


def show_window(scene: Scene) -> Changes:
    """The window of the network's native size about the pinned position, else in the middle of the image."""
    network, picture = scene.network, scene.picture
    if no_window(scene) or network is None or network.window is None or picture is None:
        return {}
    middle = ((picture.width - 1) / 2, (picture.height - 1) / 2)
    x, y = scene.state.cursor or middle
    zoom_y, zoom_x = network.frame.zoom
    height, width = network.window
    return drag_window(scene, x + 0.5 - width / zoom_x / 2, y + 0.5 - height / zoom_y / 2)


def drag_window(scene: Scene, x: float, y: float) -> Changes:
    """The window's left top corner is wanted at (x, y) in pixel edges: it goes to the nearest network pixel."""
    network = scene.network
    if network is None or network.window is None:
        return {}
    box = network.frame.window_box(network.window, x, y)
    return {"window": (float(box.left), float(box.top))}


def move_window(scene: Scene, rows: int, columns: int) -> Changes:
    """The window moved by whole steps of the sliding window's grid, kept inside the image."""
    network, at = scene.network, scene.state.window
    if network is None or network.window is None or at is None:
        return {}
    left, top = network.frame.window(network.window, *at)
    y, x = (scene.state.grid_stride or law.stride for law in network.geometry.laws("last"))
    zoom_y, zoom_x = network.frame.zoom
    return drag_window(scene, (left + columns * x) / zoom_x, (top + rows * y) / zoom_y)


def no_method(scene: Scene, method: Method) -> str:
    """Why the network that is open does not answer by `method`, for people; empty where it does, or none is open."""
    network = scene.known
    return "" if network is None else unfit(method, network.title, network.window is None)


def choose_method(scene: Scene, method: Method) -> Changes:
    """Another method; the sliding window comes with a window to drag, and takes it along when it goes.

    Nothing for one that the network does not answer by.
    """
    if no_method(scene, method):
        return {}
    state, sliding = scene.state, Method.SLIDING_WINDOW
    changes: Changes = {"method": method}
    if method is sliding and state.window is None:
        changes |= show_window(scene)
    elif state.method is sliding and method is not sliding:
        changes["window"] = None
    return changes


def show_zero_insertion(scene: Scene) -> Changes:
    """The page of the upsampling laboratory that has a transposed convolution as a convolution."""
    lab = replace(scene.state.upsampling_lab, page=laboratory.Page.INSERTION, image=False)
    return {"tab": Tab.UPSAMPLING.value, "upsampling_lab": lab}


def choose_view(view: View) -> Changes:
    """Another view: errors make room for it."""
    return {"view": view, "errors": False, "cell": None}


def show_evidence(scene: Scene, **changes: Any) -> Changes:
    """Other heatmaps (fields of `CamView`): the class that is shown is seen on the canvas."""
    view = replace(scene.state.cams, **changes)
    shown = {} if scene.prediction is None else choose_view(View.HEATMAP)
    return {"cams": view} | shown


def show_errors(wanted: bool) -> Changes:
    """Right and wrong pixels over the image, or no longer."""
    return {"errors": wanted, "cell": None} | ({"scores_large": False} if wanted else {})


def show_large_scores(wanted: bool) -> Changes:
    """The tables of the scores in the place of the image, or the image again."""
    return {"scores_large": wanted, "network_view": NetworkView.NONE}


def toggle_cell(scene: Scene, true: int, found: int) -> Changes:
    """A cell of the confusion matrix: its pixels on the image, which comes to the front; once more: no longer."""
    return {"cell": None} if scene.state.cell == (true, found) else {"cell": (true, found), "scores_large": False}


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


def best_view(entry: Entry) -> View:
    """Labels, but one class's heatmap where a classifier knows so many that labels become confetti."""
    many = entry.task is Task.CLASSIFICATION and entry.class_count > MANY_CLASSES
    return View.HEATMAP if many else View.LABELS


def suited(scene: Scene) -> Changes:
    """The view that suits a network of which no more than its name was known until it was open."""
    network, state = scene.network, scene.state
    if network is None or not state.model:
        return {}
    lost = network.no_cam and state.cams.heat is Heat.CAM  # chosen for another network, or in a session file
    changes: Changes = {"cams": replace(state.cams, heat=Heat.PROBABILITY)} if lost else {}
    if parse(state.model).kind is Kind.CATALOGUE:
        return changes
    shown = scene.prediction.request.setup.model if scene.prediction is not None else ""
    if shown and same_network(shown, state.model):  # the person has seen it, and chosen since then
        return changes
    return changes | {"view": best_view(network.entry), "minimum": network.entry.minimum}


def use_network(state: State, spec: str) -> Changes:
    """A network chosen by its spec: in the view that suits it, on a fitting sample if there is no image yet.

    The network that is there already, only viewed otherwise, stays as it is shown. One that nobody
    has opened yet is taken in the present view. Raises SegvizError for a spec of no network.
    """
    entry = catalogue.entry(spec)
    if state.image is not None and spec != state.model and same_network(spec, state.model):
        return {"model": spec}
    image = state.image or (str(assets.sample(entry.sample)) if entry.sample else None)
    own = image is not None and image == str(assets.sample(entry.sample))
    return {
        "model": spec,
        "image": image,
        "view": best_view(entry) if entry.class_count else state.view,
        "minimum": entry.minimum,
        "scale": entry.sample_scale if own else drawing_scale(entry, image),
    }


def view_otherwise(scene: Scene, option: str, value: str | None) -> Changes:
    """The network that is there viewed otherwise: an option of `specs.VIEWING` with a value; None: as it is brought.

    A value that says what the network brings anyway leaves the option out. What the option stands
    for goes along, so that its effect is seen. Nothing before the network is open. Raises UsageError
    for a value that cannot be, SegvizError for class names that cannot be read.
    """
    network, spec = scene.known, parse(scene.state.model) if scene.state.model else None
    if network is None or spec is None:
        return {}
    wanted = spec.without(option) if value is None else spec.with_option(option, value)
    entry = viewed(network.brought, wanted)
    if entry == viewed(network.brought, spec.without(option)):
        wanted = spec.without(option)
    changes: Changes = {"model": str(wanted)}
    if option == "minimum":
        changes["minimum"] = entry.minimum
    if option == "longest":
        changes["scale"] = None
    return changes


def view_as_brought(scene: Scene) -> Changes:
    """The network that is there as it is by itself, without any viewing option."""
    network = scene.known
    if network is None:
        return {}
    spec = parse(scene.state.model)
    changes: Changes = {"model": str(spec.opening)}
    if spec.option("minimum") is not None:
        changes["minimum"] = network.brought.minimum
    if spec.option("longest") is not None:
        changes["scale"] = None
    return changes


def drawing_scale(entry: Entry, image: str | None) -> float | None:
    """The scale that makes a digit drawn with ease as large as those the network knows; None: it chooses itself."""
    size = names.board_size(image)
    taken_whole = entry.task is not Task.CLASSIFICATION or entry.longest_side is not None
    if size is None or taken_whole or not entry.class_count:  # nothing is known of a network before it is open
        return None
    return max(SMALLEST_SCALE, min(1.0, round(WINDOWS_HIGH * entry.input_size[1] / min(size), 3)))


def use_board(state: State, path: str) -> Changes:
    """A new drawing: for the network that is there if it takes grey images, else for LeNet-5, as large as suits it."""
    if not state.model or catalogue.entry(state.model).preprocessing.channels != "L":
        return use_network(replace(state, image=path), DIGITS)
    return {"image": path, "scale": drawing_scale(catalogue.entry(state.model), path)}


def use_image(state: State, path: str) -> Changes:
    """An image chosen by its path: with the network that suits it best if none is chosen yet."""
    if state.model:
        return {"image": path}
    return use_network(replace(state, image=path), suitable(path))


def suitable(image: str) -> str:
    """The network that a sample image shows best: the one whose sample it is, or the most general."""
    name = image.replace("\\", "/").rpartition("/")[2]
    if name.startswith("digits-") or names.is_board(name):
        return DIGITS
    trained = [entry for entry in catalogue.ENTRIES if entry.trained]
    of_sample = next((entry.name for entry in trained if entry.sample == name), None)
    return of_sample or max(trained, key=lambda entry: entry.class_count).name

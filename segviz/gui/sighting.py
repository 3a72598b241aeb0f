"""What units see and what pixels reach, as the window shows it, and what gestures change of it. Pure functions.

Fields are answered from the integers of `core`: nothing here waits for the engine. What paths add to a score is its.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from segviz.core import planning
from segviz.core.contributions import ContributionRequest, of_paths
from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.occlusion import OcclusionAnswer, covered, square_box
from segviz.core.planning import plan_occlusion
from segviz.core.regions import Region, Spans, projective
from segviz.core.requests import Layer, Network
from segviz.core.session import State
from segviz.core.sight import USUAL
from segviz.core.steps import Interval
from segviz.gui import gestures
from segviz.gui.scene import Scene, is_about, pinned

Changes = dict[str, Any]
SIDES = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)  # of the square, that keys go through
FIRST = 1 / 16  # of the shorter side of the image: how wide the square is as long as nobody has chosen
FEWEST = 3  # stills of a filmstrip: the first, the unit's own and one between
PLAIN = 7  # layers that are all shown: a network of so few is known by each of them
ALIKE = 1.25  # times as wide: what grows by less from one still to the next is not worth a still of its own


# ------------------------------------------------------------------------------------ gestures


def change(state: State, **changes: Any) -> Changes:
    """Fields of `State.sight`, as changes of the State."""
    return {"sight": replace(state.sight, **changes)}


def toggle(scene: Scene, name: str) -> Changes:
    """A flag of `State.sight`."""
    return change(scene.state, **{name: not getattr(scene.state.sight, name)})


def no_square(scene: Scene) -> str:
    """Why nothing can be occluded, for people; '' where it can."""
    if scene.picture is None or scene.network is None:
        return "To occlude a part of the image an image and a network are needed: choose both first."
    return ""


def toggle_square(scene: Scene) -> Changes:
    """The grey square about the pinned position, else in the middle of the image; or none any more."""
    state, picture = scene.state, scene.picture
    if state.sight.square is not None:
        return change(state, square=None)
    if picture is None or scene.network is None:
        return {}
    x, y = state.cursor or ((picture.width - 1) / 2, (picture.height - 1) / 2)
    side = state.sight.side if state.sight.chosen else first_side(picture.height, picture.width)
    state = replace(state, **change(state, side=side))
    return drag_square(replace(scene, state=state), x + 0.5 - side / 2, y + 0.5 - side / 2)


def first_side(height: int, width: int) -> int:
    """How wide the square is at first: as `SIDES` have it, large enough to be seen where all of the image is."""
    wanted = FIRST * min(height, width)
    return max(USUAL.side, min(SIDES, key=lambda side: abs(side - wanted)))


def drag_square(scene: Scene, x: float, y: float) -> Changes:
    """The square's left top corner is wanted at (x, y) in pixel edges: it goes to whole pixels of the network."""
    network = scene.network
    if network is None:
        return {}
    square = covered(network.frame, x, y, scene.state.sight.side)
    box = square_box(network.frame, square)
    return change(scene.state, square=(float(box.left), float(box.top)))


def resize_square(scene: Scene, step: int) -> Changes:
    """The next larger (or, backwards, smaller) square about the same centre."""
    sight = scene.state.sight
    others = [side for side in SIDES if (side > sight.side if step > 0 else side < sight.side)]
    if not others or sight.square is None:
        return {}
    side = others[0 if step > 0 else -1]
    x, y = (edge + (sight.side - side) / 2 for edge in sight.square)
    state = replace(scene.state, **change(scene.state, side=side, chosen=True))
    return drag_square(replace(scene, state=state), x, y)


def select_still(scene: Scene, still: Still) -> Changes:
    """A tile of the filmstrip: its layer, and the unit that it shows."""
    x, y = still.place
    at = replace(scene, state=replace(scene.state, cursor=(x, y)))
    return {"cursor": (x, y)} | gestures.select_layer(at, still.layer)


# ------------------------------------------------------------------------------------- squares


@dataclass(frozen=True, slots=True)
class Occluded:
    """The grey square in image pixels, and what it changes: `possible` are the outputs that it can change at all.

    `answer` is the newest of this image and network, of the square where it was before while the next is computed:
    it is `fresh` where it is of the square as it is, and then `outside` counts the outputs that change though geometry
    says that the square cannot reach them.
    """

    box: Box
    possible: Box | None
    answer: OcclusionAnswer | None
    fresh: bool
    outside: int = 0


def occluded(scene: Scene) -> Occluded | None:
    """The square of the scene; None where there is none."""
    network, sight = scene.network, scene.state.sight
    if sight.square is None or network is None or not _fits(scene, network):
        return None
    square = covered(network.frame, *sight.square, sight.side)
    answer = changes(scene)
    reach = projective(network.geometry, "last", square)
    shown = None if reach is None else _seen(network, "last", reach)
    possible = None if shown is None else cells_box(network, "last", shown)
    box = square_box(network.frame, square)
    if answer is None or answer.request != plan_occlusion(scene.state):
        return Occluded(box, possible, answer, fresh=False)
    return Occluded(box, possible, answer, fresh=True, outside=_outside(answer, reach))


def changes(scene: Scene) -> OcclusionAnswer | None:
    """What a square of this image and network changes, be it where it was before; None where none lies there."""
    network, answer = scene.network, scene.occlusion
    there = scene.state.sight.square is not None and network is not None and _fits(scene, network)
    return answer if there and answer is not None and is_about(answer.request.setup, scene.state) else None


def _outside(answer: OcclusionAnswer, reach: Region | None) -> int:
    """How many outputs change that are not in `reach`."""
    changed = answer.changed
    inside = changed[reach.y.lo : reach.y.hi + 1, reach.x.lo : reach.x.hi + 1].sum() if reach is not None else 0
    return int(changed.sum() - inside)


def occlusion_comes(scene: Scene, found: Occluded | None) -> bool:
    """Whether what the square changes where it is now is still to be computed."""
    return found is not None and not found.fresh and scene.waits_for(plan_occlusion(scene.state))


def square_key(scene: Scene) -> tuple[object, ...]:
    """All that `occluded` depends on: while it stays, nobody needs to ask again."""
    state = scene.state
    return scene.network, scene.picture, scene.occlusion, state.image, state.model, state.sight


def cells_box(network: Network, layer: str, region: Region) -> Box:
    """The cells of these units of a layer, in image pixels."""
    (top, bottom), (left, right) = region
    first, last = network.geometry.cell_box(layer, top, left), network.geometry.cell_box(layer, bottom, right)
    return network.frame.box_to_image(Box(first.left, first.top, last.right, last.bottom))


# ----------------------------------------------------------------------------- projective field


@dataclass(frozen=True, slots=True)
class Influence:
    """The units of a layer that one pixel can change: rows and columns, and their cells in image pixels."""

    layer: str
    region: Region
    box: Box
    pixel: Box  # of the image, as large as the network sees it
    padded: tuple[int, int] = (0, 0)  # rows and columns that it reaches besides, over what is padded to the image


def influence(scene: Scene, point: tuple[float, float] | None) -> Influence | None:
    """The projective field of the pixel at `point`, else at the pinned position, in the chosen layer.

    None without a network, outside the image, and where the pixel reaches no unit of the layer.
    """
    network, state = scene.network, scene.state
    place = point or state.cursor
    if network is None or place is None or state.layer is None or network.layer(state.layer) is None:
        return None
    if not _fits(scene, network):
        return None
    x, y = (max(0, round(at)) for at in network.frame.to_network(*place))
    geometry = network.geometry
    x, y = min(x, geometry.width - 1), min(y, geometry.height - 1)
    region = projective(geometry, state.layer, Region(Interval(y, y), Interval(x, x)))
    if region is None:
        return None
    seen = _seen(network, state.layer, region)
    if seen is None:
        return None
    padded = region.y.hi - seen.y.hi, region.x.hi - seen.x.hi
    pixel = network.frame.box_to_image(Box(x, y, x + 1, y + 1))
    return Influence(state.layer, seen, cells_box(network, state.layer, seen), pixel, padded)


def _seen(network: Network, layer: str, region: Region) -> Region | None:
    """The units of a region that the image shows: a network that answers per pixel leaves out those over padding."""
    if network.window is not None:
        return region
    geometry, frame = network.geometry, network.frame
    grid, laws = geometry.grid(layer), geometry.laws(layer)
    if geometry.index(layer) == geometry.index("last"):  # as its answer is cut
        lattice = frame.per_pixel_lattice(grid, laws)
        rows, columns = lattice.rows, lattice.columns
    else:
        rows, columns = frame.seen_units(grid, laws)
    (top, bottom), (left, right) = region
    bottom, right = min(bottom, rows - 1), min(right, columns - 1)
    return Region(Interval(top, bottom), Interval(left, right)) if top <= bottom and left <= right else None


# --------------------------------------------------------------------------------------- paths


@dataclass(frozen=True, slots=True)
class Path:
    """What the pinned unit sees by one path of a network with skips: its coarsest layer, and a box in image pixels."""

    name: str
    stride: float
    box: Box


def contributions_wanted(scene: Scene) -> ContributionRequest | None:
    """What is to be asked about the paths to the pinned unit; None too for a network that said it has no such sum."""
    unit, network, answer = pinned(scene), scene.network, scene.contributions
    if unit is None or network is None or not unit.status.holds:
        return None
    wanted = planning.plan_contributions(scene.state, network)
    refused = answer is not None and answer.refusal and wanted is not None and answer.request.setup == wanted.setup
    return None if refused else wanted


def contributions(scene: Scene) -> tuple[float, ...]:
    """What each of `paths` adds to the score of the pinned unit's class; () where that is no sum of theirs, or not
    known yet.
    """
    answer, unit, network = scene.shown_contributions, pinned(scene), scene.network
    if answer is None or unit is None or network is None:
        return ()
    return of_paths(answer, network.geometry, scene.paths)


def paths(scene: Scene) -> tuple[Path, ...]:
    """The paths to the pinned unit, the widest first; () where there is one alone."""
    unit, network = pinned(scene), scene.network
    if unit is None or network is None or not unit.status.holds:
        return ()
    return tuple(Path(path.name, path.stride, network.frame.box_to_image(path.field.box)) for path in scene.paths)


def paths_words(scene: Scene) -> str:
    """What has become of the boxes of the paths, for the status bar."""
    if not scene.state.sight.paths:
        return "Boxes of the paths are hidden: B shows them"
    if scene.state.unit is not None and not paths(scene):
        return "One path alone leads to this unit: there are no boxes to tell apart"
    return "Boxes of the paths are shown: B hides them"


# ----------------------------------------------------------------------------------- filmstrip


@dataclass(frozen=True, slots=True)
class Still:
    """One tile of the filmstrip: a layer before the pinned unit's, or that layer, seen through one unit.

    `rows` and `columns` are how many of the layer's units the pinned unit needs, (`row`, `column`) the one of them that
    sits nearest to where it was pinned, `place` where that sits in the image and `field` what it sees, both in image
    pixels.
    """

    layer: str
    row: int
    column: int
    rows: int
    columns: int
    place: tuple[float, float]
    field: Box


def stills(scene: Scene, most: int) -> tuple[Still, ...]:
    """The filmstrip of the pinned unit, from the first layer to its own: at most `most`, no two of one size in a row.

    Blocks where a network has enough of them, else its single layers. Of a deep network the last layers of each stride
    stay, which are its levels and branches, and between them those whose fields grow most.
    """
    unit, network = pinned(scene), scene.network
    if unit is None or network is None or not unit.status.holds:
        return ()
    geometry, need = network.geometry, scene.in_sight
    cursor = scene.state.cursor
    place = network.frame.to_network(*cursor) if cursor else geometry.position_of(unit.layer, unit.row, unit.column)
    most = max(FEWEST, most)
    choices = (gestures.top_rows(network), tuple(layer.name for layer in network.layers if layer.leaf))
    for names in choices:
        rows = _grown(network, [name for name in names if geometry.index(name) in need], unit.layer)
        if len(rows) >= most // 2:
            break
    found = [_still(network, layer.name, need[geometry.index(layer.name)], place) for layer in _thinned(rows, most)]
    return tuple(still for still in found if still is not None)


def chain_of(found: Sequence[Still]) -> tuple[Box, ...]:
    """The fields of a filmstrip but for the last, which is the pinned unit's own."""
    return tuple(still.field for still in found[:-1])


def _grown(network: Network, names: list[str], last: str) -> list[Layer]:
    """The first layer of each size of field and stride, in order, and `last` at the end."""
    known = {layer.name: layer for layer in network.layers}
    found: list[Layer] = []
    for layer in (known[name] for name in names if name != last):
        if network.geometry.index(layer.name) == network.geometry.index(last):
            continue
        if not found or (found[-1].size, found[-1].stride) != (layer.size, layer.stride):
            found.append(layer)
    end = known[last]
    if found and (found[-1].size, found[-1].stride) == (end.size, end.stride):
        found.pop()
    return [*found, end]


def _still(network: Network, layer: str, spans: Spans, place: tuple[float, float]) -> Still | None:
    """The layer through the unit of `spans` nearest to `place`, in network pixels; None where it has no field."""
    geometry, frame = network.geometry, network.frame
    rows, columns = (span.real for span in spans)
    if rows is None or columns is None:  # padding alone
        return None
    region = Region(rows, columns)
    nearest = geometry.cell_at(layer, *place)
    row, column = (min(max(at, units.lo), units.hi) for at, units in zip(nearest, region, strict=True))
    try:
        field = geometry.field(layer, row, column)
    except SegvizError:  # of what does not depend on the image
        return None
    if not field.status.holds:
        return None
    seat = frame.to_image(*geometry.position_of(layer, row, column))
    return Still(layer, row, column, *region.shape, seat, frame.box_to_image(field.box))


def _thinned(found: list[Layer], most: int) -> list[Layer]:
    """At most `most`, the first and the last among them; of neighbours that are alike those that end a level."""
    if len(found) <= min(most, PLAIN):
        return found
    last = len(found) - 1
    turns = [at for at in range(1, last) if found[at].stride != found[at + 1].stride]  # the last of each stride
    room = min(len(turns), most - 2)
    kept = {0, last} | {turns[(2 * k + 1) * len(turns) // (2 * room)] for k in range(room)}
    while len(kept) < most:
        growth = {at: _growth(found, kept, at) for at in range(1, last) if at not in kept}
        best = max(growth, key=lambda at: growth[at], default=0)
        if growth.get(best, 0) < ALIKE:
            break
        kept.add(best)
    return [found[at] for at in sorted(kept)]


def _growth(found: list[Layer], kept: set[int], at: int) -> float:
    """By how much the field of a layer differs at least from those of the stills beside it: a factor from 1 on."""
    beside = max(other for other in kept if other < at), min(other for other in kept if other > at)
    widths = [max(found[other].size or (1.0,)) for other in (at, *beside)]
    return min(max(widths[0] / width, width / widths[0]) for width in widths[1:])


def _fits(scene: Scene, network: Network) -> bool:
    """Whether the network that is there was read for the picture that is shown."""
    picture = scene.picture
    return picture is not None and network.frame.image == (picture.height, picture.width)

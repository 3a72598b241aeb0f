"""What is shown, as one frozen value, and the one place that changes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path, PureWindowsPath
from typing import Any

from segviz.core import assets, cams, convolution_lab, laboratory, network_picture, places, sight
from segviz.core.choices import (
    ColourMap,
    CompareView,
    Device,
    FilterScale,
    Glow,
    MapOrder,
    MapPage,
    MapScale,
    MaskColours,
    Method,
    NetworkView,
    Palette,
    PatchSource,
    Pooling,
    TrainingPage,
    Upsampling,
    View,
)
from segviz.core.effective import MOST_IMAGES
from segviz.core.errors import SegvizError, clean, shorten
from segviz.core.formats import LARGEST_LABEL
from segviz.core.kept import FIELDS, MOST, Kept
from segviz.core.refinement import COLOUR, COLOURS, SMOOTHNESS, SMOOTHNESSES, WIDTH, WIDTHS
from segviz.core.requests import LARGEST_SCALE, SMALLEST_SCALE
from segviz.core.specs import FILE_OPTIONS, Kind, parse, same_network

FORMAT = "segviz session"
VERSION = 1
MOST_W_0, LEAST_SIGMA, MOST_SIGMA = 30.0, 0.5, 20.0  # of the weight map that is shown; sigma in pixels


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a layer."""

    channel: int
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class State:
    """A description of everything that is shown: names, paths and numbers, never arrays or widgets.

    A lesson step, a session file, a command line and a bug report are all a State.
    """

    image: str | None = None  # absolute path
    revision: int = 0  # of an image that is being drawn: counts how often its file was written anew
    model: str = ""  # model spec
    method: Method = Method.AUTO
    upsampling: Upsampling = Upsampling.BILINEAR
    pooling: Pooling = Pooling.AUTO
    scale: float | None = None  # None: the longest side that the catalogue recommends
    grid_stride: int | None = None  # of the sliding window; None: the network's own stride
    device: Device = Device.AUTO
    fast: bool = False  # arithmetic that is equal only to about 1e-5
    refine: bool = False  # labels follow edges of the image, by a dense CRF
    refine_width: float = WIDTH  # as `Refinement` has them
    refine_colour: float = COLOUR
    refine_smoothness: float = SMOOTHNESS
    layer: str | None = None
    unit: Unit | None = None
    glow: Glow = Glow.NONE  # what lights up in the pinned unit's field
    glow_images: int = 1  # images that its effective field is averaged over
    cursor: tuple[float, float] | None = None  # where the unit was pinned: (x, y) in image pixels
    window: tuple[float, float] | None = None  # left top corner, in pixel edges of the image, of the dragged window
    view: View = View.LABELS
    shown_class: int | None = None  # of the heatmap; None: the most probable class
    hidden: frozenset[int] = frozenset()
    solo: int | None = None
    opacity: float = 0.55  # of labels
    heat_opacity: float = 0.75
    minimum: float = 0.0  # confidence that a label needs to be painted
    heat_minimum: float = 0.0  # probability that a heatmap paints from
    truth: str | None = None  # absolute path of the mask that labels are scored against
    mask_colours: MaskColours = MaskColours.AUTO  # what its colours stand for
    ignored: int | None = None  # its label that does not count; None: 255, unless that is a class
    errors: bool = False  # whether right and wrong pixels lie over the image
    cell: tuple[int, int] | None = None  # of the confusion matrix: (true class, label) whose pixels are shown
    palette: Palette = Palette.AUTO
    colour_map: ColourMap = ColourMap.MAGMA
    map_page: MapPage = MapPage.MAPS  # of the tab of feature maps
    map_order: MapOrder = MapOrder.INDEX
    map_scale: MapScale = MapScale.MAP
    map_channel: int | None = None  # the map that is looked at where no unit is pinned
    filter_scale: FilterScale = FilterScale.FILTER
    patch_source: PatchSource = PatchSource.SHIPPED
    tab: str = "feature-maps"
    kept: tuple[Kept, ...] = ()  # results that others are compared with
    compare: CompareView = CompareView.NONE
    compared: int = 0  # which of them
    curtain: float = 0.5  # where the curtain ends, in shares of the image's width
    upsampling_lab: laboratory.Laboratory = laboratory.USUAL
    sight: sight.Sight = sight.USUAL  # what is shown of receptive fields
    cams: cams.CamView = cams.USUAL  # what heatmaps show

    @property
    def looked_at(self) -> int | None:
        """The map that is looked at: the pinned unit's, else the one that was chosen; None where none was."""
        return self.unit.channel if self.unit is not None else self.map_channel

    training_page: TrainingPage = TrainingPage.IMAGE
    w_0: float = 10.0  # of U-Net's weight map w(x), as its paper has it
    sigma: float = 5.0  # pixels
    convolution_lab: convolution_lab.ConvolutionLab = convolution_lab.USUAL
    network_view: NetworkView = NetworkView.NONE  # what of the network has the canvas's place
    network_picture: network_picture.NetworkPicture = network_picture.WHOLE


Listener = Callable[[State, State], None]


class Session:
    """Holds the State; `update` is the only way to change it, listeners hear (old, new).

    A change made by a listener while a change is being told is told after it, so that every
    listener sees all changes in the same order; one that fails keeps none from the others.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = state or State()
        self._listeners: list[Listener] = []
        self._pending: list[tuple[State, State]] = []
        self._telling = False

    @property
    def state(self) -> State:
        return self._state

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(old, new)` after every change; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def update(self, **changes: Any) -> None:
        """Change fields of the State. Unknown names raise TypeError: they are bugs."""
        old, new = self._state, replace(self._state, **settled(self._state, changes))
        if new == old:
            return
        self._state = new
        self._pending.append((old, new))
        if self._telling:
            return
        self._telling = True
        failure: Exception | None = None
        while self._pending:
            change = self._pending.pop(0)
            for listener in list(self._listeners):
                try:
                    listener(*change)
                except Exception as error:  # noqa: BLE001 - raised below, once everybody has heard everything
                    failure = failure or error
        self._telling = False
        if failure is not None:
            raise failure

    def replace(self, state: State) -> None:
        """Show another State as a whole: a session file, a lesson step."""
        self.update(**{f.name: getattr(state, f.name) for f in fields(State)})


def settled(state: State, changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` together with what they make meaningless: another network has other layers and classes.

    The same network, viewed otherwise (`specs.VIEWING`), keeps them. Another image keeps the layer but
    not the pinned unit; a new revision of the same image keeps both, since a person draws on while a
    unit is watched. Another layer has other maps and other input maps, but keeps the cursor, from which the unit
    follows. A mask is of one image, a cell of the confusion matrix of one mask and one network.
    """
    out = dict(changes)

    def changed(name: str) -> bool:
        return name in changes and changes[name] != getattr(state, name)

    if changed("model") and not same_network(state.model, changes["model"]):
        for name, value in NETWORK_DEFAULTS.items():
            out.setdefault(name, value)
    if out.get("layer", state.layer) != state.layer:
        out.setdefault("convolution_lab", replace(state.convolution_lab, channel=None))
    if changed("image"):
        out.setdefault("revision", 0)
        out.setdefault("unit", None)
        out.setdefault("cursor", None)
        out.setdefault("truth", None)
    if changed("layer"):
        out.setdefault("map_channel", None)
    if any(out.get(name, getattr(state, name)) != getattr(state, name) for name in MASK_FIELDS):
        out.setdefault("cell", None)
    return out


MASK_FIELDS = ("truth", "mask_colours", "ignored")  # what decides which class a pixel has

# What belongs to a network and means nothing to another.
NETWORK_DEFAULTS: dict[str, Any] = {
    "layer": None,
    "unit": None,
    "shown_class": None,
    "hidden": frozenset(),
    "solo": None,
    "scale": None,
    "grid_stride": None,
    "pooling": Pooling.AUTO,
    "method": Method.AUTO,
    "cell": None,
    "cams": cams.USUAL,
    "map_channel": None,
    "network_picture": network_picture.WHOLE,
}


# -------------------------------------------------------------------------------- session files


def to_json(state: State, folder: Path | None = None) -> str:
    """`state` as the text of a session file; paths below `folder` are written relative to it.

    `folder` is where the file is to lie."""
    values: dict[str, Any] = {f.name: getattr(state, f.name) for f in fields(State)}
    values["hidden"] = sorted(state.hidden)
    values["unit"] = state.unit and [state.unit.channel, state.unit.row, state.unit.column]
    values["cell"] = state.cell and list(state.cell)
    values["kept"] = [asdict(replace(kept, model=_portable_model(kept.model, folder))) for kept in state.kept]
    values["upsampling_lab"] = laboratory.to_values(state.upsampling_lab)
    values["sight"] = sight.to_values(state.sight)
    values["cams"] = cams.to_values(state.cams)
    values["convolution_lab"] = convolution_lab.to_values(state.convolution_lab)
    values["network_picture"] = network_picture.to_values(state.network_picture)
    values["image"] = _portable(state.image, folder)
    values["truth"] = _portable(state.truth, folder)
    values["model"] = _portable_model(state.model, folder)
    return json.dumps({"format": FORMAT, "version": VERSION, "state": values}, indent=2) + "\n"


SAMPLE = "sample:"  # a photograph that segviz brings, wherever it is installed


def _portable(path: str | None, folder: Path | None) -> str | None:
    if path is None or not Path(path).is_absolute():
        return path
    place = Path(path)
    if place.parent == assets.images():
        return SAMPLE + place.name
    return path if folder is None else _below(place, folder) or path


def _portable_model(model: str, folder: Path | None) -> str:
    """A model spec with the files that it names as a session has them."""
    return _with_files(model, lambda path: _portable(path, folder) or path)


def _with_files(model: str, moved: Callable[[str], str]) -> str:
    if not model:
        return ""
    spec = parse(model)
    if spec.kind is Kind.FILE:
        spec = replace(spec, name=moved(spec.name))
    for option in FILE_OPTIONS:
        path = spec.option(option)
        if path is not None and Path(path).suffix:  # 'weights' may be a word, too
            spec = spec.with_option(option, moved(path))
    return str(spec)


def _below(place: Path, folder: Path) -> str | None:
    """`place` as seen from `folder`: by the names that people use, else once links are followed; None outside it.

    The last name is never followed: a link beside the session travels with it as what it is called.
    """
    ways = ((place, folder.absolute()), (place.parent.resolve() / place.name, folder.resolve()))
    inside = (way.relative_to(top) for way, top in ways if way.is_relative_to(top))
    return next((way.as_posix() for way in inside if ".." not in way.parts), None)


def _located(reference: str, folder: Path | None) -> str:
    """Where a file of a session is by now: at its path, else beside the session, where people carry it along."""
    if reference.startswith(SAMPLE):
        return str(assets.images() / Path(reference.removeprefix(SAMPLE)).name)
    if folder is None or (Path(reference).is_absolute() and places.is_file(reference)):
        return reference
    name = PureWindowsPath(reference).name  # a path of any system: this one knows both kinds of slashes
    found = next((place for place in (folder / reference, folder / name) if places.is_file(place)), None)
    return reference if found is None else str(found.resolve())


def from_json(text: str, folder: Path | None = None, name: str = "session file") -> tuple[State, tuple[str, ...]]:
    """The State of a session file, and a remark on each field that was left out because its value is bad.

    `folder` is where the file lies. An image that is not where the file says is looked for beside it,
    by its relative path and by its name alone. Raises SegvizError naming what is wrong with the file
    as a whole: not a session file, a newer version.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SegvizError(f"{name}: not a session file (broken JSON: {error})") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("state"), dict):
        raise SegvizError(f"{name}: not a session file of segviz")
    if not isinstance(data.get("version"), int) or data["version"] > VERSION:
        raise SegvizError(f"{name}: written by a newer segviz (format {data.get('version')}, this one reads {VERSION})")
    values: dict[str, Any] = {}
    remarks: list[str] = []
    for key, value in data["state"].items():
        reader = _READERS.get(key)
        if reader is None:
            continue  # a field of another version: the rest still opens
        try:
            values[key] = reader(value)
        except (ValueError, TypeError, OverflowError):
            remarks.append(f"{key} cannot be {shorten(clean(repr(value)), LONGEST_VALUE)}")
    for key in ("image", "truth"):
        if values.get(key):
            values[key] = _located(values[key], folder)
    if values.get("model"):
        try:
            values["model"] = _with_files(values["model"], lambda path: _located(path, folder))
        except SegvizError as error:
            remarks.append(str(error))
            del values["model"]
    if "kept" in values:
        values["kept"], unknown = _kept_located(values["kept"], folder)
        remarks += unknown
    return State(**values), tuple(remarks)


def _kept_located(kept: tuple[Kept, ...], folder: Path | None) -> tuple[tuple[Kept, ...], list[str]]:
    """Kept results with the files of their networks where they are by now, and remarks on those that name none."""
    found, remarks = [], []
    for one in kept:
        try:
            found.append(replace(one, model=_with_files(one.model, lambda path: _located(path, folder))))
        except SegvizError as error:
            remarks.append(str(error))
    return tuple(found), remarks


LONGEST_VALUE = 40  # characters of a bad value that are told


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError
    return value


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or number != number or number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _within(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        number = _number(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _index(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError
    return value


def _label(value: Any) -> int:
    if _index(value) > LARGEST_LABEL:
        raise ValueError
    return int(value)


def _optional(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else reader(value)


def _unit(value: Any) -> Unit:
    channel, row, column = value
    return Unit(_index(channel), _index(row), _index(column))


def _pair(value: Any) -> tuple[int, int]:
    first, second = value
    return _index(first), _index(second)


def _point(value: Any) -> tuple[float, float]:
    x, y = value
    return _number(x), _number(y)


def _kept(value: Any) -> tuple[Kept, ...]:
    if not isinstance(value, list) or len(value) > MOST:
        raise ValueError
    read = {name: _READERS[name] for name in FIELDS} | {"name": _text}
    return tuple(Kept(**{name: read[name](given) for name, given in one.items() if name in read}) for one in value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "image": _optional(_text),
    "revision": _index,
    "model": _text,
    "method": Method,
    "upsampling": Upsampling,
    "pooling": Pooling,
    "scale": _optional(_within(SMALLEST_SCALE, LARGEST_SCALE)),
    "grid_stride": _optional(lambda value: max(1, _index(value))),
    "device": Device,
    "fast": _flag,
    "refine": _flag,
    "refine_width": _within(*WIDTHS),
    "refine_colour": _within(*COLOURS),
    "refine_smoothness": _within(*SMOOTHNESSES),
    "layer": _optional(_text),
    "unit": _optional(_unit),
    "glow": Glow,
    "glow_images": lambda value: max(1, min(MOST_IMAGES, _index(value))),
    "cursor": _optional(_point),
    "window": _optional(_point),
    "view": View,
    "shown_class": _optional(_index),
    "hidden": lambda value: frozenset(_index(v) for v in value),
    "solo": _optional(_index),
    "opacity": _within(0, 1),
    "heat_opacity": _within(0, 1),
    "minimum": _within(0, 1),
    "heat_minimum": _within(0, 1),
    "truth": _optional(_text),
    "mask_colours": MaskColours,
    "ignored": _optional(_label),
    "errors": _flag,
    "cell": _optional(_pair),
    "palette": Palette,
    "colour_map": ColourMap,
    "map_page": MapPage,
    "map_order": MapOrder,
    "map_scale": MapScale,
    "map_channel": _optional(_index),
    "filter_scale": FilterScale,
    "patch_source": PatchSource,
    "tab": _text,
    "kept": _kept,
    "compare": CompareView,
    "compared": _index,
    "curtain": _within(0, 1),
    "upsampling_lab": laboratory.from_values,
    "sight": sight.from_values,
    "cams": cams.from_values,
    "training_page": TrainingPage,
    "w_0": _within(0, MOST_W_0),
    "sigma": _within(LEAST_SIGMA, MOST_SIGMA),
    "convolution_lab": convolution_lab.from_values,
    "network_view": NetworkView,
    "network_picture": network_picture.from_values,
}

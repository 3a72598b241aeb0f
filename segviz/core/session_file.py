"""A State as the text of a session file and back: paths that still hold on another machine, bad values told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path, PureWindowsPath
from typing import Any

from segviz.core import assets, cams, convolution_lab, laboratory, learning, network_picture, places, sight
from segviz.core.choices import (
    ColourMap,
    CompareView,
    DataName,
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
from segviz.core.refinement import COLOURS, SMOOTHNESSES, WIDTHS
from segviz.core.requests import LARGEST_SCALE, SMALLEST_SCALE
from segviz.core.session import LEAST_SIGMA, MOST_SIGMA, MOST_W_0, State, Unit
from segviz.core.session_values import flag
from segviz.core.specs import FILE_OPTIONS, Kind, parse

FORMAT = "segviz session"
VERSION = 1


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
    values["train"] = learning.to_values(replace(state.train, data=_portable_data(state.train.data, folder)))
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


def _portable_data(data: str | None, folder: Path | None) -> str | None:
    """What is learned from: a folder like other paths; one that is called like data of segviz stays a path."""
    found = _portable(data, folder)
    return f"./{found}" if found != data and found in set(DataName) else found


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


def _located(reference: str, folder: Path | None, there: Callable[[Path | str], bool] = places.is_file) -> str:
    """Where a file of a session is by now: at its path, else beside the session, where people carry it along.

    `there` says whether a path is one; of folders, `places.is_folder`.
    """
    if reference.startswith(SAMPLE):
        return str(assets.images() / Path(reference.removeprefix(SAMPLE)).name)
    if folder is None or (Path(reference).is_absolute() and there(reference)):
        return reference
    name = PureWindowsPath(reference).name  # a path of any system: this one knows both kinds of slashes
    found = next((place for place in (folder / reference, folder / name) if there(place)), None)
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
    train = values.get("train", learning.USUAL)
    if train.data is not None and train.data not in set(DataName):
        values["train"] = replace(train, data=_located(train.data, folder, places.is_folder))
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


def _index(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError
    return value


def _count(most: int = 2**31 - 1) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not 1 <= _index(value) <= most:
            raise ValueError
        return int(value)

    return read


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
    "grid_stride": _optional(_count()),
    "device": Device,
    "fast": flag,
    "refine": flag,
    "refine_width": _within(*WIDTHS),
    "refine_colour": _within(*COLOURS),
    "refine_smoothness": _within(*SMOOTHNESSES),
    "layer": _optional(_text),
    "unit": _optional(_unit),
    "glow": Glow,
    "glow_images": _count(MOST_IMAGES),
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
    "errors": flag,
    "cell": _optional(_pair),
    "scores_large": flag,
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
    "train": learning.from_values,
    "w_0": _within(0, MOST_W_0),
    "sigma": _within(LEAST_SIGMA, MOST_SIGMA),
    "convolution_lab": convolution_lab.from_values,
    "network_view": NetworkView,
    "network_picture": network_picture.from_values,
}

"""The strongest unit of every channel of a layer, image by image, kept on disk: what top patches are cut from.

An image is computed once for all channels. What was found of it is a file of its own, so that a search that was
stopped goes on where it was, another channel asks for nothing, and a damaged file costs one image.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segviz.core import export, folders, images
from segviz.core.errors import SegvizError
from segviz.core.field import Box, Geometry, Status
from segviz.core.frames import Frame
from segviz.core.requests import Progress
from segviz.core.top_patches import LONGEST, SHOWN, TopAnswer, TopPatch, TopRequest, TopUpdate, images_of
from segviz.engine import devices, flow
from segviz.engine.job import size_text
from segviz.engine.jobs import frame_at_once
from segviz.engine.prepare import check_channels, tensor_of
from segviz.engine.store import Loaded, version

FOLDER = "top-patches"  # of the cache
MOST_FILES = 5000  # that are kept there; the oldest go
TOLD = 0.25  # seconds between two updates
GREY = 128  # of what lies outside an image
MAGIC = b"segviz top 3\n"
CHECK = 16  # bytes of the checksum behind it
STATUSES = tuple(Status)

# Of every channel: what its strongest unit says, where it is, and the box of its field.
FACTS = ("value", "row", "column", "x", "y", "left", "top", "right", "bottom", "status")
Table = npt.NDArray[np.float64]  # (facts, channels)


@dataclass(frozen=True, slots=True)
class _Best:
    """The strongest unit of the channel in one image."""

    image: Path
    facts: tuple[float, ...]

    @property
    def value(self) -> float:
        return self.facts[0]


def search(request: TopRequest, loaded: Loaded) -> Generator[Progress | TopUpdate, None, TopAnswer]:
    """Go through the images; yields what is found so far.

    Raises SegvizError where none of them can be read, and for a layer or a map that there is not.
    """
    check_channels(loaded.entry)
    places = images_of(request.folder)
    _check_map(request, loaded)
    found, since, was_kept = _Search(request, len(places), loaded.entry.mirrors), 0.0, False
    for done, place in enumerate(places):
        progress = Progress(done, len(places), "images")
        try:
            file = _file(request, loaded, place)
            table = _read(file)
            late = time.perf_counter() - since > TOLD
            if done and (late or (was_kept and table is None)):  # what was kept is seen before anything is computed
                since = time.perf_counter()
                yield TopUpdate(found.answer(), progress)
            was_kept = table is not None
            if table is None:
                table = yield from _computed(request, loaded, place, progress)
                _keep(file, table)
        except SegvizError as error:
            found.refused(error)
            continue
        found.enter(place, table)
    if len(found.notes) == len(places):
        raise SegvizError(found.notes[0])
    _forget_oldest()
    return found.answer()


def _check_map(request: TopRequest, loaded: Loaded) -> None:
    """Before any image is opened: what is wrong with all of them is no remark on each."""
    traced = loaded.traced(loaded.convertible, loaded.entry.input_size, keep=False)
    maps, _, _ = traced.maps_of(int(traced.call(request.layer).output or 0))
    if request.channel >= maps:
        raise SegvizError(f"layer '{request.layer}' has {maps} maps, from 0 on: there is no map {request.channel}")


class _Search:
    """What is found so far for one channel."""

    def __init__(self, request: TopRequest, total: int, mirrors: bool) -> None:
        self.notes: list[str] = []
        self._request, self._total, self._mirrors = request, total, mirrors
        self._started = time.perf_counter()
        self._best: list[_Best] = []
        self._crops: dict[Path, TopPatch] = {}
        self._seen = self._dead = 0

    def enter(self, place: Path, table: Table) -> None:
        """The facts of one image."""
        self._seen += 1
        facts = tuple(float(fact) for fact in table[:, self._request.channel])
        if facts[0] == 0:  # behind a ReLU that lets nothing through
            self._dead += 1
            return
        self._best = sorted([*self._best, _Best(place, facts)], key=lambda one: -one.value)[:SHOWN]

    def refused(self, error: SegvizError) -> None:
        self._seen += 1
        self.notes.append(str(error))

    def answer(self) -> TopAnswer:
        for one in self._best:
            if one.image not in self._crops:
                self._crops[one.image] = _patch(one, self._mirrors)
        patches = tuple(self._crops[one.image] for one in self._best)
        seconds = time.perf_counter() - self._started
        return TopAnswer(self._request, patches, self._seen, self._total, self._dead, seconds, tuple(self.notes))


# ------------------------------------------------------------------------------------ one image


def _file(request: TopRequest, loaded: Loaded, place: Path) -> Path:
    """Where the facts of all channels in one image are kept."""
    return folders.cache() / FOLDER / f"{_key(request, loaded, place)}.top"


def _keep(file: Path, table: Table) -> None:
    with suppress(SegvizError, OSError):  # a cache that cannot be written only costs time
        file.parent.mkdir(parents=True, exist_ok=True)
        export.replace_file(file, lambda part: part.write_bytes(_packed(table)))


def _computed(request: TopRequest, loaded: Loaded, place: Path, progress: Progress) -> Generator[Progress, None, Table]:
    picture = images.open_picture(place)
    frame = frame_at_once(loaded, (picture.height, picture.width), request.setup.scale)
    image = tensor_of(picture.pixels, loaded.entry.preprocessing, frame).to(loaded.device)
    traced = loaded.traced(loaded.convertible, (loaded.entry.input_size[0], *frame.outer), keep=False, image=image)
    call = traced.call(request.layer)
    devices.check_memory(traced.peak_bytes, f"{loaded.entry.title} on {size_text(frame.outer)}")
    steps = flow.run(traced, loaded.weights.allowing(request.setup.fast), image, call.output)
    done = yield from flow.followed(steps, lambda _: progress)
    maps = traced.as_maps(int(call.output or 0), done.output).float().cpu()
    return _facts(maps.numpy(), traced.geometry, call.name, frame)


def _facts(maps: npt.NDArray[np.float32], geometry: Geometry, layer: str, frame: Frame) -> Table:
    """The strongest unit of every map (channels, rows, columns), and its field in image pixels."""
    flat = maps.reshape(len(maps), -1).astype(np.float32)
    flat = np.where(np.isnan(flat), -np.inf, flat)  # what is no number is not the strongest
    strongest = flat.argmax(1)
    rows, columns = np.divmod(strongest, maps.shape[2])
    table = np.zeros((len(FACTS), len(maps)))
    table[:3] = flat[np.arange(len(maps)), strongest], rows, columns
    known: dict[tuple[int, int], tuple[float, ...]] = {}
    for channel, unit in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        if unit not in known:
            field = geometry.field(layer, *unit)
            position = frame.to_image(*geometry.position_of(layer, *unit))
            known[unit] = (*position, *frame.box_to_image(field.box), STATUSES.index(field.status))
        table[3:, channel] = known[unit]
    return table


def _patch(best: _Best, mirrors: bool) -> TopPatch:
    value, row, column, x, y, *box, status = best.facts
    pixels = images.open_picture(best.image).pixels
    field = Box(*box)
    return TopPatch(
        image=str(best.image),
        value=value,
        row=int(row),
        column=int(column),
        field=field,
        status=STATUSES[int(status)],
        size=(pixels.shape[1], pixels.shape[0]),
        position=(x, y),
        crop=cropped(pixels, field, mirrors),
        mirrored=mirrors,
    )


def cropped(pixels: npt.NDArray[np.uint8], field: Box, mirrors: bool = False) -> npt.NDArray[np.uint8]:
    """The pixels (H, W, 3) of a field, no longer than `LONGEST`; mirrored or grey where it lies outside the image."""
    left, top, right, bottom = (round(edge) for edge in field)
    height, width = max(1, bottom - top), max(1, right - left)
    zoom = min(1.0, LONGEST / max(height, width))
    size = max(1, round(height * zoom)), max(1, round(width * zoom))
    if mirrors:
        rows, columns = np.arange(top, top + height), np.arange(left, left + width)
        chosen = np.ix_(images.mirrored(rows, pixels.shape[0]), images.mirrored(columns, pixels.shape[1]))
        return images.resize(pixels[chosen], *size)
    out = np.full((*size, 3), GREY, np.uint8)
    inside = Box(left, top, right, bottom).clipped(pixels.shape[1], pixels.shape[0])
    if inside.width < 1 or inside.height < 1:
        return out
    part = pixels[int(inside.top) : int(inside.bottom), int(inside.left) : int(inside.right)]
    first = round((inside.top - top) * zoom), round((inside.left - left) * zoom)
    tall, wide = (
        max(1, min(side - at, round(own * zoom))) for side, at, own in zip(size, first, part.shape[:2], strict=True)
    )
    out[first[0] : first[0] + tall, first[1] : first[1] + wide] = images.resize(part, tall, wide)
    return out


# ------------------------------------------------------------------------------------- the cache


def _key(request: TopRequest, loaded: Loaded, place: Path) -> str:
    """What the facts of one image depend on: the network's weights and how it is viewed, the layer, the file."""
    setup, entry = request.setup, loaded.entry
    viewed = (loaded.pooling, setup.scale, setup.fast, entry.preprocessing, entry.input_size, str(loaded.device.type))
    told = repr((loaded.fingerprint, viewed, request.layer, str(place.resolve()), tuple(version(str(place)))))
    return hashlib.blake2b(told.encode(), digest_size=20).hexdigest()


def _packed(table: Table) -> bytes:
    data = np.ascontiguousarray(table, "<f8").tobytes()
    return MAGIC + hashlib.blake2b(data, digest_size=CHECK).digest() + data


def _read(file: Path) -> Table | None:
    """The facts in a file; None where there is none, or one that is damaged."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    check, data = content[len(MAGIC) : len(MAGIC) + CHECK], content[len(MAGIC) + CHECK :]
    whole = content.startswith(MAGIC) and len(data) > 0 and len(data) % (8 * len(FACTS)) == 0
    if not whole or hashlib.blake2b(data, digest_size=CHECK).digest() != check:
        return None
    return np.frombuffer(data, "<f8").reshape(len(FACTS), -1)


def _forget_oldest() -> None:
    with suppress(OSError):
        kept = sorted((folders.cache() / FOLDER).glob("*.top"), key=_age, reverse=True)
        _remove(kept[MOST_FILES:])


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # another process has removed it
        return 0.0


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)

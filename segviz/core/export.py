"""Everything that leaves: pictures that equal the screen, label maps, probabilities, tables, animations.

Every file is written whole or not at all (`replace_file`), since people save over what they have.
"""

from __future__ import annotations

import csv
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from segviz.core.choices import MapScale, Palette
from segviz.core.errors import SegvizError, named
from segviz.core.frames import Lattice
from segviz.core.maps import MapStatistics
from segviz.core.palettes import class_colours, signed_table

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer[Any]]
Mask = npt.NDArray[np.bool_]

DIMMED = 0.55  # brightness of a greyed photograph
STRIP = 256  # rows painted at a time: the intermediate of a 24 megapixel image stays small

# ------------------------------------------------------------------------------------------ files

_PART = ".part"
_STRAY_AGE = 3600.0  # seconds after which a left-over of another machine's process is swept too


def replace_file(path: str | os.PathLike[str], write: Callable[[Path], object]) -> Path:
    """Let `write` make a file and put it at `path` in one step; returns where it is.

    `write` gets a temporary path in the same folder with the same ending. Whatever happens, `path`
    holds either its old contents or all of the new. Raises SegvizError that says why it cannot be
    saved; what `write` itself raises as SegvizError passes through.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    part = target.with_name(f".{target.stem[:80]}.{os.getpid()}-{secrets.token_hex(4)}{_PART}{target.suffix}")
    with suppress(OSError):  # a folder that cannot be listed can still be written to
        _sweep(target)
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except OSError as error:
        why = error.strerror or str(error)
        raise SegvizError(f"{named(target)}: cannot be saved ({why}); choose another folder or name") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def _sweep(target: Path) -> None:
    """Remove what processes that were killed in the middle of saving `target` have left."""
    prefix = f".{target.stem[:80]}."
    for stray in target.parent.iterdir():
        if not (stray.name.startswith(prefix) and stray.name.endswith(_PART + target.suffix)):
            continue
        owner = stray.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and _is_over(int(owner), stray):
            stray.unlink(missing_ok=True)


def _is_over(process: int, stray: Path) -> bool:
    if os.name == "posix" and process != os.getpid():
        try:
            os.kill(process, 0)  # signal 0 only asks; elsewhere it would end the process
        except ProcessLookupError:
            return True
        except OSError:
            pass
    try:
        return time.time() - stray.stat().st_mtime > _STRAY_AGE
    except FileNotFoundError:
        return False


def save_picture(path: str | os.PathLike[str], pixels: Bytes) -> Path:
    """Save uint8 pixels (H, W), (H, W, 3) or (H, W, 4) as PNG; without metadata, whatever the photograph had."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return replace_file(path, lambda part: image.save(part, format="PNG"))


def save_labels(path: str | os.PathLike[str], labels: Labels, count: int, palette: Palette = Palette.AUTO) -> Path:
    """Save a label map (H, W) of `count` classes as PNG whose pixel values are the class indices.

    Up to 256 classes it is an indexed PNG with the palette's colours, above a 16-bit grey one.
    """
    if count > 65_536:
        raise SegvizError(f"{named(path)}: {count:,} classes do not fit a PNG of 16 bit; save the probabilities")
    if count > 256:
        image = Image.fromarray(labels.astype(np.uint16))
    else:
        image = Image.fromarray(labels.astype(np.uint8))
        image.putpalette(class_colours(palette, count).tobytes())
    return replace_file(path, lambda part: image.save(part, format="PNG"))


def save_probabilities(path: str | os.PathLike[str], probabilities: npt.NDArray[np.float32], lattice: Lattice) -> Path:
    """Save probabilities (classes, rows, columns) of a grid as NPZ.

    Beside the key `probabilities` stand `stride` and `start`, each (x, y) in image pixels.
    """

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez_compressed(
                file,
                probabilities=np.asarray(probabilities, np.float32),
                stride=np.array(lattice.stride),
                start=np.array(lattice.start),
            )

    return replace_file(path, write)


def save_arrays(path: str | os.PathLike[str], values: npt.NDArray[np.float32], lattice: Lattice | None) -> Path:
    """Save feature maps (C, rows, columns) as NPZ: `maps`, and where their units sit as in `save_probabilities`."""
    arrays: dict[str, Any] = {"maps": values}
    if lattice is not None:
        arrays |= {"stride": np.array(lattice.stride), "start": np.array(lattice.start)}

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)

    return replace_file(path, write)


def save_table(path: str | os.PathLike[str], rows: Iterable[Sequence[object]]) -> Path:
    """Save rows as CSV in UTF-8, with a mark of it in front: spreadsheets would otherwise guess."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(rows)

    return replace_file(path, write)


def save_animation(
    path: str | os.PathLike[str], frames: Iterable[Bytes], milliseconds: int = 100, last_milliseconds: int = 2000
) -> Path:
    """Save frames, uint8 (H, W, 3) of one size, as an endless animated GIF that rests on its last frame."""
    images = [Image.fromarray(np.ascontiguousarray(frame)).quantize(256, dither=Image.Dither.NONE) for frame in frames]
    if not images:
        raise SegvizError(f"{named(path)}: there is no frame to save yet; run first")
    durations = [milliseconds] * (len(images) - 1) + [last_milliseconds]
    first, rest = images[0], images[1:]
    return replace_file(
        path,
        lambda part: first.save(
            part, format="GIF", save_all=True, append_images=rest, duration=durations, loop=0, optimize=False
        ),
    )


def save_feature_maps(
    folder: Path, name: str, values: npt.NDArray[np.float32], scale: MapScale = MapScale.MAP
) -> tuple[Path, ...]:
    """Save each map of a layer's (C, H, W) as a grey PNG NAME-000.png in `folder`, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegvizError(f"{named(folder)}: cannot be made ({error.strerror}); choose another folder") from error
    digits = max(3, len(str(len(values) - 1)))
    statistics = MapStatistics.of(values)
    return tuple(
        save_picture(folder / f"{name}-{index:0{digits}}.png", statistics.picture(index, scale))
        for index in range(len(values))
    )


# --------------------------------------------------------------------------------------- pictures


def painted(labels: Labels, visible: Mask, confidence: Bytes | None = None, minimum: float = 0.0) -> Mask:
    """Which pixels (H, W) carry colour: those of a visible class that is at least `minimum` (0 to 1) probable."""
    seen = visible[labels]
    if confidence is not None and minimum > 0:
        seen &= confidence >= round(minimum * 255)
    return seen


def contours(labels: Labels, seen: Mask) -> Mask:
    """The outermost pixels of each painted region, bool (H, W): one of the four neighbours is another class or bare."""
    kind = np.where(seen, labels.astype(np.int32), -1)
    edge = np.zeros(kind.shape, dtype=bool)
    across, down = kind[:, 1:] != kind[:, :-1], kind[1:] != kind[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge & seen


def overlay_labels(
    pixels: Bytes,
    labels: Labels,
    colours: Bytes,
    visible: Mask,
    confidence: Bytes | None = None,
    minimum: float = 0.0,
    opacity: float = 0.55,
) -> Bytes:
    """The photograph (H, W, 3) under its labels, as the window shows it, uint8 (H, W, 3).

    `colours` is (classes, 3), `visible` (classes,). Regions have the given opacity and a contour of
    one pixel at full strength; the rest is the photograph, untouched.
    """
    _same_size(pixels, labels)
    seen = painted(labels, visible, confidence, minimum)
    alpha = np.where(contours(labels, seen), 255, np.where(seen, round(opacity * 255), 0)).astype(np.uint8)
    return _mixed(pixels, alpha, lambda rows: colours[labels[rows]])


def overlay_heat(pixels: Bytes, heat: Bytes, table: Bytes, opacity: float = 1.0) -> Bytes:
    """The photograph (H, W, 3) under one class's heatmap (H, W), `table` from `palettes.heat_table`."""
    _same_size(pixels, heat)
    alpha = np.rint(table[:, 3] * opacity).astype(np.uint8)
    return _mixed(pixels, alpha[heat], lambda rows: table[heat[rows], :3])


def greyed(pixels: Bytes) -> Bytes:
    """The photograph (H, W, 3) grey and dimmed, so that a map's colours are the only ones on it."""
    out = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), STRIP):
        rows = slice(top, top + STRIP)
        out[rows] = np.rint(pixels[rows].mean(2, np.float32, keepdims=True) * DIMMED)
    return out


def signed_scale() -> Bytes:
    """The colours (256, 3) of a signed map as a greyed photograph shows them: zero is its grey, as nothing is painted
    there.
    """
    ground = greyed(np.full((1, 256, 3), 128, np.uint8))
    colours: Bytes = overlay_heat(ground, np.arange(256, dtype=np.uint8)[None], signed_table())[0]
    return colours


def _same_size(pixels: Bytes, over: Labels) -> None:
    if pixels.shape[:2] != over.shape:
        raise ValueError(f"picture {pixels.shape[:2]} and overlay {over.shape} differ in size")


def _mixed(pixels: Bytes, alpha: Bytes, colour_of: Callable[[slice], Bytes]) -> Bytes:
    """`pixels` under colours (H, W, 3) with `alpha` (H, W) of 255; exact where alpha is 0 or 255."""
    out = np.empty(pixels.shape, np.uint8)
    for top in range(0, len(pixels), STRIP):
        rows = slice(top, top + STRIP)
        share = alpha[rows, :, None].astype(np.uint32)
        out[rows] = (pixels[rows] * (255 - share) + colour_of(rows) * share + 127) // 255
    return out

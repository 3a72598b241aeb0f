"""Image files to pixels, whoever they come from: checked before they are read, scaled and never clipped.

The order of checks is that of every loader here: what the file is for the system, what its first
bytes say, what its header promises, and only then the pixels. A file that fails any of them is
refused with one message and has cost neither time nor memory.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from segviz.core.errors import SegvizError, named
from segviz.core.formats import READABLE

Pixels = npt.NDArray[np.uint8]
Used = TypeVar("Used")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an image may be at most, judged from its header: pixels in all, pixels a side, bytes of the file."""

    pixels: int = 64_000_000
    side: int = 32_767
    size: int = 1 << 30


LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Picture:
    """An opened image: read-only uint8 pixels (H, W, 3), upright, in RGB.

    `kind` says what the file was ('grey 16 bit', 'palette', 'CMYK'), `notes` what a person should
    know about how it became RGB.
    """

    path: str
    pixels: Pixels
    kind: str
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])


def open_picture(path: str | os.PathLike[str], limits: Limits = LIMITS) -> Picture:
    """The image file at `path`, upright and as RGB.

    16-bit and float images are scaled to the range of a byte, transparent parts laid on white; of
    an animation the first frame counts. Raises SegvizError that names the file, what is wrong with
    it and what to do.
    """
    return _reading(path, limits, _decoded)


def probe(path: str | os.PathLike[str], limits: Limits = LIMITS) -> tuple[int, int]:
    """(height, width) of the upright image from the header alone; refuses what `open_picture` refuses by header."""
    return _reading(path, limits, lambda _, image: _upright_size(image))


def resize(pixels: Pixels, height: int, width: int) -> Pixels:
    """`pixels` (H, W, 3) at another size, bicubic and smoothed when it shrinks; the very same array at its own size."""
    if pixels.shape[:2] == (height, width):
        return pixels
    if height < 1 or width < 1:
        raise SegvizError(f"an image cannot become {width} x {height} pixels; choose a larger scale")
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def mirrored(places: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    """Places on an axis of `size` pixels that goes on as its own mirror image, the pixel at its end once."""
    if size == 1:
        return np.zeros_like(places)
    folded = np.abs(places) % (2 * size - 2)
    return np.asarray(np.minimum(folded, 2 * size - 2 - folded), np.intp)


# ------------------------------------------------------------------------------ before the pixels

# Leading bytes -> Pillow's name of the format. Nothing else is ever handed to Pillow, whose other
# readers are rare, and one of which starts Ghostscript.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    *(
        (b"P" + digit + space, "PPM")
        for digit in (b"1", b"2", b"3", b"4", b"5", b"6")
        for space in (b"\n", b" ", b"\r")
    ),
)

# (offset, bytes) of files that people take for images -> what they are.
_STRANGERS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypheic", "a HEIC photo"),
    (4, b"ftypmif1", "a HEIF photo"),
    (4, b"ftypavif", "an AVIF image"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"PK\x03\x04", "a zip archive or a checkpoint"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\0\0\1\0", "an icon"),
    (128, b"DICM", "a DICOM scan"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML or SVG document"),
    (0, b"<", "a web page"),
)


def _reading(path: str | os.PathLike[str], limits: Limits, use: Callable[[Path, Image.Image], Used]) -> Used:
    """Check the file at `path`, open it and hand it to `use(path, image)`; every failure becomes a SegvizError."""
    place = Path(path)
    _check_file(place, limits)
    name = named(place)
    try:
        with place.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of broken metadata, which is not needed here
            form = _sniffed(name, file.read(512))
            file.seek(0)
            with Image.open(file, formats=(form,)) as image:
                _check_size(name, image.width, image.height, limits)
                return use(place, image)
    except SegvizError:
        raise
    except Image.DecompressionBombError as error:
        raise SegvizError(f"{name}: too large, far more than {_mega(limits.pixels)}; shrink it first") from error
    except PermissionError as error:
        raise SegvizError(f"{name}: no permission to read it; change the file's permissions") from error
    except MemoryError as error:
        raise SegvizError(f"{name}: too large for the free memory; close something or shrink it first") from error
    except Exception as error:  # Pillow raises a dozen types on damaged files
        raise SegvizError(f"{name}: {_complaint(error)}", repr(error)) from error


def _check_file(place: Path, limits: Limits) -> None:
    name = named(place)
    try:
        about = place.stat()
    except FileNotFoundError:
        link = " (a link to nothing)" if place.is_symlink() else ""
        raise SegvizError(f"{name}: not found{link}; was it moved or renamed?") from None
    except PermissionError:
        raise SegvizError(f"{name}: no permission to read it; change the permissions of its folder") from None
    except (OSError, ValueError) as error:
        raise SegvizError(f"{name}: cannot be reached ({error}); check links and path") from None
    if stat.S_ISDIR(about.st_mode):
        raise SegvizError(f"{name}: a folder; choose an image in it")
    if not stat.S_ISREG(about.st_mode):  # opening a pipe would wait for ever
        raise SegvizError(f"{name}: not a regular file; copy its contents into one")
    if about.st_size == 0:
        raise SegvizError(f"{name}: the file is empty; fetch it again")
    if about.st_size > limits.size:
        raise SegvizError(f"{name}: too large, {about.st_size:,} bytes of at most {limits.size:,}; shrink it first")


def _sniffed(name: str, head: bytes) -> str:
    """Pillow's name of the format that the first bytes show; the file's ending is not asked."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    for signature, form in _SIGNATURES:
        if head.startswith(signature):
            return form
    bare = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for offset, mark, what in _STRANGERS:
        if head.startswith(mark, offset) or (offset == 0 and bare.startswith(mark)):
            raise SegvizError(f"{name}: unsupported format, {what}; save it as one of {READABLE}")
    raise SegvizError(f"{name}: not an image of a known format ({READABLE})")


def _check_size(name: str, width: int, height: int, limits: Limits) -> None:
    size = f"{width:,} x {height:,} pixels"
    if width < 1 or height < 1:
        raise SegvizError(f"{name}: damaged, its size would be {size}; fetch it again")
    if max(width, height) > limits.side:
        raise SegvizError(f"{name}: too large, {size} of at most {limits.side:,} a side; shrink or cut it first")
    if width * height > limits.pixels:
        most = _mega(limits.pixels)
        raise SegvizError(f"{name}: too large, {size} ({_mega(width * height)} of at most {most}); shrink it first")


def _mega(pixels: int) -> str:
    return f"{pixels / 1e6:,.0f} megapixels"


def _complaint(error: Exception) -> str:
    text = str(error) or type(error).__name__
    cut = any(word in text.lower() for word in ("truncated", "incomplete", "not enough", "too short"))
    return f"{'truncated' if cut else 'damaged'} ({text}); fetch or save it again"


# ------------------------------------------------------------------------------------ orientation

_ORIENTATION = 0x0112  # the tag's number in EXIF

# EXIF orientation -> the stored array made upright.
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none that makes sense. Decodes no pixels."""
    if image.format == "TIFF":
        return 1  # Pillow turns TIFF images itself, size included
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # asking Pillow would decode the whole image to look behind it
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - metadata that cannot be read is no reason to refuse a photograph
        return 1
    return value if value in _UPRIGHT else 1


def _upright_size(image: Image.Image) -> tuple[int, int]:
    turned = _orientation(image) >= 5
    return (image.width, image.height) if turned else (image.height, image.width)


# ----------------------------------------------------------------------------------------- pixels


@dataclass(frozen=True, eq=False)
class _Read:
    """Pixels (H, W, 3) as they are stored, what the file was, and what to tell of it."""

    pixels: Pixels
    kind: str
    notes: tuple[str, ...] = ()


def _decoded(place: Path, image: Image.Image) -> Picture:
    reader = _READERS.get(image.mode)
    if reader is None:
        raise SegvizError(f"{named(place)}: unsupported kind of pixels ({image.mode}); save it as RGB")
    turn = _orientation(image)
    notes = _note_frames(image)
    deep = _is_deep(image)
    read = reader(image)
    if deep and read.pixels.dtype == np.uint8 and "16 bit" not in read.kind:
        read = _Read(read.pixels, f"{read.kind} 16 bit", (*read.notes, "16-bit channels reduced to 8 bit"))
    pixels = np.ascontiguousarray(_UPRIGHT[turn](read.pixels))
    pixels.flags.writeable = False
    if turn != 1:
        notes = (*notes, "turned upright as the camera recorded it")
    return Picture(str(place.absolute()), pixels, read.kind, (*read.notes, *notes))


def _note_frames(image: Image.Image) -> tuple[str, ...]:
    if not getattr(image, "is_animated", False):
        return ()
    return (
        ("several pages: the first page is shown",)
        if image.format == "TIFF"
        else ("animated: the first frame is shown",)
    )


def _is_deep(image: Image.Image) -> bool:
    """Whether Pillow is about to drop the lower bytes of 16-bit channels."""
    tiles = getattr(image, "tile", None) or ()
    return any(";16" in str(tile[3]) for tile in tiles)


def _rgb(image: Image.Image) -> _Read:
    if "transparency" in image.info:
        return _with_alpha(image)
    return _Read(np.array(image.convert("RGB")), _KINDS.get(image.mode, image.mode))


def _with_alpha(image: Image.Image) -> _Read:
    """Laid on white: black would turn the empty part of a drawing into its largest shape."""
    kind = f"{_KINDS.get(image.mode, image.mode)} with alpha"
    whole = np.asarray(image.convert("RGBA"))
    alpha = whole[..., 3:]
    if alpha.min() == 255:
        return _Read(whole[..., :3].copy(), kind)
    mixed = whole[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha.astype(np.uint16))
    return _Read(((mixed + 127) // 255).astype(np.uint8), kind, ("transparent parts are laid on white",))


def _cmyk(image: Image.Image) -> _Read:
    return _Read(np.array(image.convert("RGB")), "CMYK", ("CMYK: colours are approximate",))


def _grey_levels(levels: Pixels, kind: str, *notes: str) -> _Read:
    return _Read(np.repeat(levels[..., None], 3, axis=2), kind, notes)


def _stretched(values: npt.NDArray[Any], low: float, high: float) -> Pixels:
    """Values low to high as 0 to 255. In strips, since float64 of a large image would fill the memory."""
    out = np.empty(values.shape, dtype=np.uint8)
    span = float(high) - float(low)
    for top in range(0, len(values), 256):
        strip = (values[top : top + 256].astype(np.float64) - low) * (255 / span if span else 0)
        out[top : top + 256] = np.rint(np.clip(np.nan_to_num(strip, nan=0.0), 0, 255))
    return out


_USES_16_BITS = 16_384  # below this the file holds 10- to 14-bit data of a microscope or a raw camera


def _whole_numbers(image: Image.Image) -> _Read:
    """16- and 32-bit grey: 16 bit as such, anything else spread over its own range."""
    values = np.asarray(image)
    bits = 16 if image.mode.startswith("I;16") or _fits_16(values) else 32
    kind = f"grey {bits} bit"
    low, high = int(values.min()), int(values.max())
    if bits == 16 and low >= 0 and high >= _USES_16_BITS:
        return _grey_levels(_stretched(values, 0, 65_535), kind, "16-bit grey scaled to 8 bit")
    if low == high:
        return _grey_levels(np.full(values.shape, np.clip(low, 0, 255), np.uint8), kind, f"{bits}-bit: constant {low}")
    note = f"{bits}-bit grey scaled by its own range, {low:,} to {high:,}"
    return _grey_levels(_stretched(values, low, high), kind, note)


def _fits_16(values: npt.NDArray[Any]) -> bool:
    return bool(values.min() >= -32_768 and values.max() <= 65_535)


def _floats(image: Image.Image) -> _Read:
    """Float images: 0..1 and 0..255 as they are meant, any other range spread over the grey levels."""
    values = np.asarray(image)
    finite = values[np.isfinite(values)]
    notes: tuple[str, ...] = ()
    if finite.size < values.size:
        notes = (f"{values.size - finite.size:,} pixels are not finite (NaN or infinite): shown black or white",)
    if finite.size == 0:
        return _grey_levels(np.zeros(values.shape, np.uint8), "float", *notes)
    low, high = float(finite.min()), float(finite.max())
    bottom, top, said = _float_range(low, high)
    levels = _stretched(np.nan_to_num(values, nan=bottom, posinf=top, neginf=bottom), bottom, top)
    return _grey_levels(levels, "float", said, *notes)


def _float_range(low: float, high: float) -> tuple[float, float, str]:
    """The values shown black and white, and what is said of it."""
    if low >= 0 and high <= 1:
        return 0.0, 1.0, "float: 0 to 1 scaled to 8 bit"
    if low >= 0 and high <= 255:
        return 0.0, 255.0, "float: 0 to 255 as it is"
    if low == high:
        return low, low, f"float: constant {low:g}"
    return low, high, f"float: scaled by its own range, {low:g} to {high:g}"


_KINDS = {
    "1": "1 bit",
    "L": "grey",
    "LA": "grey",
    "La": "grey",
    "P": "palette",
    "PA": "palette",
    "RGB": "RGB",
    "RGBA": "RGB",
    "RGBa": "RGB",
    "RGBX": "RGB",
    "YCbCr": "YCbCr",
    "HSV": "HSV",
}

# Pillow's mode -> what makes RGB of it.
_READERS: dict[str, Callable[[Image.Image], _Read]] = {
    **dict.fromkeys(("1", "L", "P", "RGB", "RGBX", "YCbCr", "HSV"), _rgb),
    **dict.fromkeys(("LA", "PA", "RGBA", "RGBa", "La"), _with_alpha),
    **dict.fromkeys(("I", "I;16", "I;16L", "I;16B", "I;16N"), _whole_numbers),
    "CMYK": _cmyk,
    "F": _floats,
}

"""Image files of every kind, whole, turned, damaged and hostile."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from PIL import Image

from segviz.core import images
from segviz.core.errors import SegvizError
from segviz.core.formats import FORMATS, READABLE
from segviz.core.images import LIMITS, Limits, mirrored, open_picture, probe, resize

# file -> (what it was, a word of its notes or "", how far a level may be off)
KINDS = {
    "rgb.png": ("RGB", "", 0),
    "rgb.bmp": ("RGB", "", 0),
    "rgb.tif": ("RGB", "", 0),
    "rgb.gif": ("palette", "", 0),
    "rgb.ppm": ("RGB", "", 0),
    "rgb.jpg": ("RGB", "", 30),
    "rgb.webp": ("RGB", "", 40),
    "grey.png": ("grey", "", 0),
    "one-bit.png": ("1 bit", "", 0),
    "palette.png": ("palette", "", 0),
    "cmyk.tif": ("CMYK", "approximate", 1),
    "grey16.png": ("grey 16 bit", "16-bit grey scaled", 0),
    "int32.tif": ("grey 32 bit", "its own range", 0),
    "float.tif": ("float", "0 to 1", 0),
    "float-bytes.tif": ("float", "0 to 255", 0),
    "float-wide.tif": ("float", "-1000 to 9200", 0),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_shows_the_f(pictures, f_shape, name):
    kind, note, tolerance = KINDS[name]
    picture = open_picture(pictures[name])
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (24, 16, 3)
    assert (picture.height, picture.width) == (24, 16)
    assert np.abs(picture.pixels.astype(int) - f_shape).max() <= tolerance
    assert picture.kind in (kind, "grey" if name == "rgb.gif" else kind)
    assert note in " ".join(picture.notes)
    assert bool(picture.notes) == bool(note)
    assert probe(pictures[name]) == (24, 16)
    assert picture.path == str(pictures[name])


def test_pixels_are_read_only(pictures):
    with pytest.raises(ValueError, match="read-only"):
        open_picture(pictures["rgb.png"]).pixels[0, 0] = 1


@pytest.mark.parametrize("name", ["alpha.png", "grey-alpha.png"])
def test_transparent_parts_are_laid_on_white(pictures, name):
    picture = open_picture(pictures[name])
    assert picture.pixels.min() == 255  # the F is white, what is around it transparent
    assert "with alpha" in picture.kind
    assert picture.notes == ("transparent parts are laid on white",)


def test_half_transparent_pixels_mix(tmp_path):
    Image.fromarray(np.full((2, 2, 4), (200, 100, 0, 128), np.uint8)).save(tmp_path / "half.png")
    assert open_picture(tmp_path / "half.png").pixels[0, 0].tolist() == [227, 177, 127]


def test_a_transparent_colour_of_a_palette_is_seen(tmp_path, f_shape):
    image = Image.fromarray(f_shape).quantize(2)
    image.save(tmp_path / "p.png", transparency=image.getpixel((0, 0)))
    picture = open_picture(tmp_path / "p.png")
    assert picture.kind == "palette with alpha"
    assert picture.pixels.min() == 255


def test_opaque_alpha_needs_no_note(tmp_path, f_shape):
    Image.fromarray(f_shape).convert("RGBA").save(tmp_path / "opaque.png")
    picture = open_picture(tmp_path / "opaque.png")
    assert (picture.kind, picture.notes) == ("RGB with alpha", ())
    np.testing.assert_array_equal(picture.pixels, f_shape)


# ------------------------------------------------------------------------------- many levels


def saved(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values).save(path)
    return path


def test_16_bit_ramps_keep_all_their_grey_levels(tmp_path):
    """Pillow's own conversion would clip to white all above 255."""
    ramp = np.linspace(0, 65_535, 512).astype(np.uint16)[None].repeat(4, 0)
    picture = open_picture(saved(tmp_path / "r.png", ramp))
    np.testing.assert_array_equal(picture.pixels[0, :, 0], np.rint(ramp[0] / 257))


def test_10_bit_data_in_16_bit_files_is_spread_out(tmp_path):
    ramp = np.arange(1024, dtype=np.uint16)[None].repeat(2, 0)
    picture = open_picture(saved(tmp_path / "microscope.png", ramp))
    assert len(np.unique(picture.pixels)) == 256
    assert picture.notes == ("16-bit grey scaled by its own range, 0 to 1,023",)


def test_not_finite_floats_are_counted_and_shown_black_or_white(tmp_path):
    values = np.full((3, 4), 0.5, np.float32)
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -np.inf
    picture = open_picture(saved(tmp_path / "f.tif", values))
    assert picture.pixels[..., 0].tolist() == [[0, 255, 0, 128], [128] * 4, [128] * 4]
    assert any(note.startswith("3 pixels are not finite") for note in picture.notes)


def test_nothing_but_nan_is_black(tmp_path):
    picture = open_picture(saved(tmp_path / "f.tif", np.full((3, 4), np.nan, np.float32)))
    assert picture.pixels.max() == 0
    assert "not finite" in picture.notes[0]


@pytest.mark.parametrize("value", [3e38, -7.0])
def test_constant_floats_are_no_division_by_zero(tmp_path, value):
    picture = open_picture(saved(tmp_path / "f.tif", np.full((3, 4), value, np.float32)))
    assert "constant" in picture.notes[0]
    assert len(np.unique(picture.pixels)) == 1


@given(low=st.floats(-1e6, 1e6), span=st.floats(300, 1e6))
def test_wide_floats_span_all_levels(tmp_path, low, span):
    values = np.linspace(low, low + span, 300, dtype=np.float32)[None]
    levels = open_picture(saved(tmp_path / "w.tif", values)).pixels[0, :, 0]
    assert (levels[0], levels[-1]) == (0, 255)
    assert (np.diff(levels.astype(int)) >= 0).all()


def test_16_bit_colour_is_reduced_and_said(tmp_path):
    rows = b"".join(b"\0" + struct.pack(">6H", 0x1234, 0x8000, 0xFFFF, 0, 0x0100, 0xABCD) for _ in range(2))
    (tmp_path / "deep.png").write_bytes(png(2, 2, 2, rows, depth=16))
    picture = open_picture(tmp_path / "deep.png")
    assert picture.pixels[0].tolist() == [[0x12, 0x80, 0xFF], [0, 1, 0xAB]]
    assert picture.kind == "RGB 16 bit"
    assert "reduced to 8 bit" in picture.notes[0]


# ------------------------------------------------------------------------------- orientation


@pytest.mark.parametrize(("form", "suffix"), [(form, one) for form, many in FORMATS.items() for one in many])
def test_every_format_that_is_offered_opens(tmp_path, f_shape, form, suffix):
    path = tmp_path / f"f{suffix}"
    Image.fromarray(f_shape).save(path, format=form)
    assert open_picture(path).pixels.shape == f_shape.shape
    assert form in READABLE


def test_what_the_first_bytes_may_show_is_offered():
    assert {form for _, form in images._SIGNATURES} | {"WEBP"} == {form.upper() for form in FORMATS}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_upright(tmp_path, f_shape, suffix, orientation):
    """The F is stored as a camera held that way would, turned and mirrored, and must come back as an F."""
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: np.rot90(a, 2),
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a),
        7: lambda a: np.rot90(a.transpose(1, 0, 2), 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](f_shape)
    exif, path = Image.Exif(), tmp_path / f"f.{suffix}"
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, quality=95)
    picture = open_picture(path)
    assert picture.pixels.shape == f_shape.shape
    assert np.abs(picture.pixels.astype(int) - f_shape).mean() < 6
    assert probe(path) == (24, 16)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_orientations_that_do_not_exist_are_ignored(tmp_path, f_shape, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(f_shape).save(tmp_path / "f.png", exif=exif)
    np.testing.assert_array_equal(open_picture(tmp_path / "f.png").pixels, f_shape)


def test_exif_that_cannot_be_read_is_ignored(tmp_path, f_shape):
    Image.fromarray(f_shape).save(tmp_path / "f.png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(open_picture(tmp_path / "f.png").pixels, f_shape)


# ------------------------------------------------------------------------------------ frames


@pytest.mark.parametrize(("suffix", "word"), [("gif", "frame"), ("webp", "frame"), ("png", "frame"), ("tif", "page")])
def test_the_first_of_many_frames_is_shown(tmp_path, suffix, word):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "green", "blue")]
    path = tmp_path / f"many.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **({"lossless": True} if suffix == "webp" else {}))
    picture = open_picture(path)
    assert picture.pixels[0, 0].tolist() == [255, 0, 0]
    assert f"the first {word} is shown" in picture.notes[-1]


# ---------------------------------------------------------------------------------- refusals


def png(width: int, height: int, colour: int, rows: bytes, depth: int = 8) -> bytes:
    """A PNG file by hand, whose header may lie."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def refusal(path: Path, limits: Limits = LIMITS) -> str:
    """The message with which both ways of opening refuse; the name is in front."""
    with pytest.raises(SegvizError) as caught:
        open_picture(path, limits)
    message = str(caught.value)
    assert message.startswith(path.name)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (20_000, 20_000, "too large"),
        (12_000, 12_000, "144 megapixels of at most 64"),
        (2**31 - 1, 2**31 - 1, "too large"),
        (80_000, 1, "80,000 x 1 pixels of at most 32,767 a side"),
        (0, 0, "damaged"),
    ],
)
def test_headers_that_promise_too_much_are_refused_unread(tmp_path, width, height, words):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(width, height, 2, b""))
    assert words in refusal(path)
    with pytest.raises(SegvizError):
        probe(path)


def test_limits_can_be_set(pictures):
    assert "16 x 24 pixels of at most 20 a side" in refusal(pictures["rgb.png"], Limits(side=20))
    assert "bytes of at most 10" in refusal(pictures["rgb.png"], Limits(size=10))


@pytest.mark.parametrize("name", ["rgb.png", "rgb.jpg", "rgb.webp", "rgb.gif", "rgb.bmp", "rgb.tif", "rgb.ppm"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.7])
def test_cut_files_are_refused(tmp_path, pictures, name, share):
    whole = pictures[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "truncated" in (message := refusal(path)) or "damaged" in message
    assert "fetch or save it again" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"I am a text.\n", "not an image of a known format"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "an SVG drawing"),
        (b"%PDF-1.7", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF", "a PostScript document"),
        (b"PK\x03\x04rest", "a zip archive or a checkpoint"),
        (b"\0\0\0\x18ftypheicmif1", "a HEIC photo"),
        (b"\0" * 128 + b"DICM", "a DICOM scan"),
        (b"\xff\xd8", "damaged"),
    ],
)
def test_strangers_are_called_by_name(tmp_path, content, words):
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    assert words in refusal(path)


def test_content_decides_not_the_ending(tmp_path, pictures, f_shape):
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(pictures["rgb.png"].read_bytes())
    np.testing.assert_array_equal(open_picture(path).pixels, f_shape)


def test_what_is_no_file(tmp_path):
    assert "folder" in refusal(tmp_path)
    assert "not found; was it moved" in refusal(tmp_path / "gone.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    assert "a link to nothing" in refusal(tmp_path / "link.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert "links" in refusal(tmp_path / "loop.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in refusal(tmp_path / "pipe.png")


def test_a_null_character_in_a_path_is_a_message():
    with pytest.raises(SegvizError, match="cannot be reached"):
        open_picture("a\0b.png")


def test_names_of_strangers_are_cleaned(tmp_path):
    path = tmp_path / "evil\n\u202egnp.exe.png"
    path.write_bytes(b"nothing")
    with pytest.raises(SegvizError, match=r"^evil��gnp.exe.png: not an image"):
        open_picture(path)


@given(data=st.data())
def test_damage_anywhere_opens_or_is_refused(tmp_path, pictures, data):
    """Whatever a byte is changed to, nothing but a SegvizError comes out."""
    name = data.draw(
        st.sampled_from(["rgb.png", "rgb.jpg", "rgb.gif", "rgb.bmp", "rgb.tif", "rgb.webp", "palette.png"])
    )
    content = bytearray(pictures[name].read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / name
    path.write_bytes(content)
    message = ""
    try:
        picture = open_picture(path)
    except SegvizError as error:
        message = str(error)
        event("refused")
    if message:
        assert message.startswith(f"{name}: ")
        assert len(message) <= 280
    else:
        assert picture.pixels.shape[2] == 3
        assert probe(path) == (picture.height, picture.width)


# -------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (4000, 6000)])
def test_the_smallest_and_the_largest(tmp_path, size):
    path = tmp_path / "flat.png"
    Image.new("L", size[::-1], 77).save(path, compress_level=1)
    assert probe(path) == size
    picture = open_picture(path)
    assert picture.pixels.shape == (*size, 3)
    assert picture.pixels[-1, -1].tolist() == [77, 77, 77]


def test_resize_keeps_the_very_array_at_its_own_size(f_shape):
    assert resize(f_shape, 24, 16) is f_shape


def test_resize_aligns_pixel_edges():
    """A ramp at twice its size is the ramp at half pixels: nothing shifts."""
    ramp = np.broadcast_to((np.arange(20) * 12)[None, :, None], (4, 20, 3)).astype(np.uint8)
    large = resize(np.ascontiguousarray(ramp), 8, 40)[4, 6:-6, 0]
    np.testing.assert_allclose(large, ((np.arange(40) + 0.5) / 2 - 0.5)[6:-6] * 12, atol=1.01)


def test_resize_smooths_when_it_shrinks():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(stripes, 8, 8)[1:-1, 1:-1]
    assert np.abs(small.astype(int) - 128).max() < 12


def test_resize_to_nothing_is_refused(f_shape):
    with pytest.raises(SegvizError, match="cannot become 5 x 0 pixels"):
        resize(f_shape, 0, 5)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_an_axis_goes_on_as_numpy_mirrors_it(size):
    wanted = np.pad(np.arange(size), 7, mode="reflect") if size > 1 else np.zeros(15, int)
    assert np.array_equal(mirrored(np.arange(-7, size + 7), size), wanted)

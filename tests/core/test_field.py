"""Geometry against the papers' numbers, against brute force and against torch's own gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional

from segviz.core.errors import SegvizError
from segviz.core.field import Box, Geometry, Node, Status, pair, tidy
from segviz.core.frames import Frame, Lattice
from segviz.core.regions import from_shares, to_shares
from segviz.core.steps import IDENTITY, Interval, Law, Resize, Taps, Transposed, Window
from tests.core import networks

# ------------------------------------------------------------------------------------ papers

# (layer, size, stride, centre of unit 0), from Araujo et al.'s recursion and, for the sizes and
# strides of AlexNet and VGG16, Table 1 of the FCN paper.
LENET = [("c1", 5, 1, 2), ("s2", 6, 2, 2.5), ("c3", 14, 2, 6.5), ("s4", 16, 4, 7.5), ("c5", 32, 4, 15.5)]
ALEXNET = [
    *[("conv1", 11, 4, 3), ("pool1", 19, 8, 7), ("conv2", 51, 8, 7), ("pool2", 67, 16, 15), ("conv3", 99, 16, 15)],
    *[("conv4", 131, 16, 15), ("conv5", 163, 16, 15), ("pool5", 195, 32, 31), ("dense", 355, 32, 111)],
]
VGG16 = [
    *[("conv1_1", 3, 1, 0), ("conv1_2", 5, 1, 0), ("pool1", 6, 2, 0.5), ("conv2_1", 10, 2, 0.5)],
    *[("conv2_2", 14, 2, 0.5), ("pool2", 16, 4, 1.5), ("conv3_1", 24, 4, 1.5), ("conv3_2", 32, 4, 1.5)],
    *[("conv3_3", 40, 4, 1.5), ("pool3", 44, 8, 3.5), ("conv4_1", 60, 8, 3.5), ("conv4_2", 76, 8, 3.5)],
    *[("conv4_3", 92, 8, 3.5), ("pool4", 100, 16, 7.5), ("conv5_1", 132, 16, 7.5), ("conv5_2", 164, 16, 7.5)],
    *[("conv5_3", 196, 16, 7.5), ("pool5", 212, 32, 15.5), ("dense", 404, 32, 111.5)],
]


@pytest.mark.parametrize(
    ("geometry", "expected"),
    [(networks.lenet5(), LENET), (networks.alexnet(), ALEXNET), (networks.vgg(), VGG16)],
    ids=["lenet5", "alexnet", "vgg16"],
)
def test_fields_of_the_classifiers(geometry, expected):
    for layer, size, stride, center in expected:
        field = geometry.field(layer, 0, 0)
        law_y, law_x = geometry.laws(layer)
        assert (field.box.width, field.box.height) == (size, size), layer
        assert (law_y.stride, law_x.stride) == (stride, stride), layer
        assert field.center == (center, center), layer
        assert geometry.position_of(layer, 0, 0) == (center, center), layer
        assert field.status is Status.EXACT


def test_lenet5_output_sees_its_whole_window():
    assert networks.lenet5().field("last", 0, 0).box == Box(0, 0, 32, 32)


def test_next_output_sees_one_stride_further():
    assert networks.lenet5(96).field("output", 2, 1).box == Box(4, 8, 36, 40)


def test_alexnet_without_padding_sits_at_113():
    assert networks.alexnet(227, first_padding=0).field("last", 0, 0).center == (113, 113)


@pytest.mark.parametrize(("blocks", "size"), [(networks.VGG11, 342), (networks.VGG16, 404), (networks.VGG19, 460)])
def test_vgg_family(blocks, size):
    assert networks.vgg(blocks).field("last", 0, 0).box.width == size


@pytest.mark.parametrize(("size", "grid"), [(224, 1), (320, 4), (384, 6), (500, 9)])
def test_vgg16_grids(size, grid):
    assert networks.vgg(size=size).grid("last") == (grid, grid)


@pytest.mark.parametrize(("ceil", "grid"), [(False, 9), (True, 10)])
def test_alexnet_grid_on_500_pixels(ceil, grid):
    padding = 0 if ceil else 2
    assert networks.alexnet(500, padding, ceil=ceil).grid("last") == (grid, grid)


def test_unet_fields_depend_on_the_phase():
    geometry = networks.unet()
    box = geometry.field("output", 180, 192).box
    assert (box.top, box.bottom) == (176, 380)  # pixels 176..379: 204 wide
    assert (box.left, box.right) == (192, 380)  # pixels 192..379: 188 wide
    widths = {geometry.field("output", 0, column).box.width for column in range(388)}
    assert widths == {188, 204}


def test_unet_encoder_and_sizes():
    geometry = networks.unet()
    encoder = ("down0a", "down0b", "down1a", "down1b", "down2a", "down2b", "down3a", "down3b", "bottom_a", "bottom_b")
    fields = [geometry.field(layer, 0, 0).box.width for layer in encoder]
    assert fields == [3, 5, 10, 14, 24, 32, 52, 68, 108, 140]
    assert [geometry.grid(f"down{k}b")[0] for k in range(4)] == [568, 280, 136, 64]
    assert [geometry.grid(f"up{k}b")[0] for k in reversed(range(4))] == [52, 100, 196, 388]


@pytest.mark.parametrize(("size", "out"), [(188, 4), (204, 20), (252, 68), (316, 132), (380, 196)])
def test_unet_output_sizes_and_border(size, out):
    geometry = networks.unet(size)
    assert geometry.grid("last") == (out, out)
    for unit in (0, 1, out - 1):  # 92 pixels on each side have no answer
        assert geometry.position_of("last", unit, unit) == pytest.approx((92 + unit, 92 + unit))


@pytest.mark.parametrize(("skips", "lo", "hi"), [(0, 227, 662), (1, 227, 662), (2, 227, 694)])
def test_fcn_pixel_450(skips, lo, hi):
    box = networks.fcn(skips).field("output", 450, 450).box
    assert (box.left, box.right - 1) == (lo, hi)
    assert (box.top, box.bottom - 1) == (lo, hi)


@pytest.mark.parametrize(("skips", "widths"), [(0, {436}), (1, {436, 468}), (2, {436, 468})])
def test_fcn_fields_by_phase(skips, widths):
    geometry = networks.fcn(skips)
    assert {geometry.field("output", 400, 400 + phase).box.width for phase in range(32)} == widths


@pytest.mark.parametrize(("size", "score"), [(224, 8), (256, 9), (375, 12), (500, 16), (512, 17), (900, 29)])
def test_fcn_score_maps(size, score):
    assert networks.fcn(0, size).grid("score") == (score, score)


# ------------------------------------------------------------------------------- single steps

small = st.integers(1, 6)


@given(kernel=small, stride=small, dilation=st.integers(1, 4), before=st.integers(-5, 5), lo=small, more=small)
def test_window_back_is_what_its_kernel_touches(kernel, stride, dilation, before, lo, more):
    step, units = Window(kernel, stride, dilation, before), Interval(lo, lo + more)
    touched = {u * stride - before + dilation * j for u in range(units.lo, units.hi + 1) for j in range(kernel)}
    assert step.back(units) == (min(touched), max(touched))


@given(kernel=small, stride=small, padding=st.integers(0, 5), unit=st.integers(0, 30))
def test_transposed_back_is_what_reaches_the_unit(kernel, stride, padding, unit):
    sources = [i for i in range(-40, 80) if 0 <= unit + padding - i * stride < kernel]
    assume(sources)  # a stride larger than the kernel leaves units that nothing reaches
    assert Transposed(kernel, stride, padding=padding).back(Interval(unit, unit)) == (min(sources), max(sources))


@given(kernel=small, stride=small, dilation=st.integers(1, 4), padding=st.integers(0, 5))
def test_transposed_law_undoes_the_window_law(kernel, stride, dilation, padding):
    below = Law(3.5, 2.0)
    there = Window(kernel, stride, dilation, padding).law(below)
    back = Transposed(kernel, stride, dilation, padding).law(there)
    assert back == pytest.approx(below)


def _support(out: torch.Tensor, unit: int, x: torch.Tensor) -> tuple[int, int]:
    """First and last input that `out[unit]` depends on, by its gradient."""
    (gradient,) = torch.autograd.grad(out[0, 0, unit, 0], x)
    found = torch.nonzero(gradient[0, 0, :, 0].abs() > 1e-9).flatten().tolist()
    return found[0], found[-1]


RESIZES = [
    (Taps.BILINEAR, "bilinear", False),
    (Taps.BILINEAR, "bilinear", True),
    (Taps.BICUBIC, "bicubic", False),
    (Taps.BICUBIC, "bicubic", True),
]


@pytest.mark.parametrize(("taps", "mode", "align"), RESIZES, ids=["bilinear", "aligned", "bicubic", "aligned-cubic"])
@given(size_in=st.integers(1, 9), size_out=st.integers(1, 20), data=st.data())
def test_resize_back_is_the_gradients_support(taps, mode, align, size_in, size_out, data):
    unit = data.draw(st.integers(0, size_out - 1))
    x = torch.rand(1, 1, size_in, 1, dtype=torch.float64, requires_grad=True)
    out = functional.interpolate(x, size=(size_out, 1), mode=mode, align_corners=align)
    lo, hi = Resize(taps, size_in, size_out, align).back(Interval(unit, unit))
    seen = _support(out, unit, x)
    assert lo <= seen[0]
    assert seen[1] <= hi
    if size_in > 3 and lo >= 2 and hi <= size_in - 3:  # inside, where no tap is folded back
        assert (lo, hi) == seen


@given(size=st.integers(1, 9), factor=st.integers(1, 6), data=st.data())
def test_nearest_resize_by_a_whole_factor(size, factor, data):
    unit = data.draw(st.integers(0, size * factor - 1))
    x = torch.rand(1, 1, size, 1, dtype=torch.float64, requires_grad=True)
    out = functional.interpolate(x, scale_factor=(float(factor), 1.0), mode="nearest")
    assert Resize(Taps.NEAREST, size, size * factor).back(Interval(unit, unit)) == _support(out, unit, x)


@given(size_in=st.integers(1, 20), size_out=st.integers(1, 9), data=st.data())
def test_adaptive_pooling_back(size_in, size_out, data):
    unit = data.draw(st.integers(0, size_out - 1))
    x = torch.rand(1, 1, size_in, 1, dtype=torch.float64, requires_grad=True)
    out = functional.adaptive_avg_pool2d(x, (size_out, 1))
    assert Resize(Taps.AREA, size_in, size_out).back(Interval(unit, unit)) == _support(out, unit, x)


@given(size_in=st.integers(2, 9), size_out=st.integers(2, 20))
def test_resize_law_meets_the_borders(size_in, size_out):
    """A resized axis spans the same pixels: edge to edge, or centre to centre where corners are aligned."""
    edges = Resize(Taps.BILINEAR, size_in, size_out).law(Law(0.0, 1.0))
    assert edges.at(-0.5) == pytest.approx(-0.5)
    assert edges.at(size_out - 0.5) == pytest.approx(size_in - 0.5)
    corners = Resize(Taps.BILINEAR, size_in, size_out, align_corners=True).law(Law(0.0, 1.0))
    assert (corners.at(0), corners.at(size_out - 1)) == pytest.approx((0, size_in - 1))


# --------------------------------------------------------------------------- units and pixels

GEOMETRIES = {"lenet5": networks.lenet5(96), "vgg16": networks.vgg(size=384), "unet": networks.unet(252)}


@pytest.mark.parametrize("name", GEOMETRIES)
@given(data=st.data())
def test_a_unit_is_found_at_its_own_position(name, data):
    geometry = GEOMETRIES[name]
    layer = data.draw(st.sampled_from([layer for layer, _ in geometry.layers]))
    rows, columns = geometry.grid(layer)
    cell = data.draw(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)))
    x, y = geometry.position_of(layer, *cell)
    assert geometry.cell_at(layer, x, y) == cell
    box = geometry.cell_box(layer, *cell)
    assert box.center == pytest.approx((x, y))
    law_y, law_x = geometry.laws(layer)
    assert (box.width, box.height) == pytest.approx((law_x.stride, law_y.stride))


def test_a_whole_stride_is_that_of_both_axes_or_none():
    assert [networks.lenet5(96).whole_stride(layer) for layer in ("c1", "c3", "last")] == [1, 2, 4]
    third = Resize(Taps.BILINEAR, 11, 66)
    image = Node((), IDENTITY, IDENTITY, 66, 66)
    for y, x, whole in (
        (Window(6, 6), Window(6, 6), 6),
        (Window(6, 6), Window(6, 3), None),
        (third, third, None),  # six units a pixel
    ):
        assert Geometry(66, 66, (image, Node((0,), y, x, 11, 11)), (("a", 1),), "a").whole_stride("a") == whole
    back = (image, Node((0,), Window(6, 6), Window(6, 6), 11, 11), Node((1,), third, third, 66, 66))
    assert Geometry(66, 66, back, (("a", 2),), "a").whole_stride("a") == 1  # 6 times a sixth, rounded or not


lattices = st.builds(
    Lattice, st.integers(1, 9), st.integers(1, 9), st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
    st.tuples(st.floats(0.5, 40), st.floats(0.5, 40)),
)  # fmt: skip


@given(lattices, st.floats(0.05, 4), st.floats(0.05, 4))
def test_a_resized_lattice_keeps_its_cells_on_the_same_part_of_the_image(lattice, zoom_y, zoom_x):
    box, small = lattice.cell_box(2, 3), lattice.resized((zoom_y, zoom_x)).cell_box(2, 3)
    assert box.center == pytest.approx(lattice.position_of(2, 3))
    assert (box.left * zoom_x, box.top * zoom_y) == pytest.approx((small.left, small.top), abs=1e-6)
    assert (box.right * zoom_x, box.bottom * zoom_y) == pytest.approx((small.right, small.bottom), abs=1e-6)


def test_a_lattice_shrinks_with_its_image():
    """A unit at pixel 15.5, between the first 16 and the rest, is at 7.5 of the image at half the size."""
    lattice = Lattice(17, 25, (15.5, 15.5), (4.0, 4.0)).resized((0.5, 0.5))
    assert lattice == Lattice(17, 25, (7.5, 7.5), (2.0, 2.0))


@given(st.floats(-5, 50), st.floats(-5, 50), st.integers(1, 99), st.integers(1, 99))
def test_shares_of_a_picture_are_places_in_it(x, y, height, width):
    assert from_shares(*to_shares(x, y, height, width), height, width) == pytest.approx((x, y), abs=1e-9)


def test_shares_begin_at_the_pictures_edge():
    assert to_shares(-0.5, -0.5, 10, 20) == (0, 0)
    assert to_shares(19.5, 9.5, 10, 20) == (1, 1)
    assert to_shares(0, 0, 10, 20) == (0.025, 0.05)


def test_clicks_outside_take_the_border_unit():
    geometry = GEOMETRIES["lenet5"]
    assert geometry.cell_at("last", -500, 10_000) == (16, 0)


@given(start=st.integers(-50, 50), stride=st.integers(1, 40), size=st.integers(2, 30), data=st.data())
def test_nearest_unit_ties_go_down(start, stride, size, data):
    law = Law(float(start), float(stride))
    unit = data.draw(st.integers(0, size - 2))
    assert law.nearest(law.at(unit + 0.5), size) == unit
    assert law.nearest(law.at(unit + 0.51), size) == unit + 1


def test_a_gate_makes_the_unit_depend_on_the_whole_image_without_moving_it():
    image = Node((), IDENTITY, IDENTITY, 20, 30)
    conv = Node((0,), Window(3, before=1), Window(3, before=1), 20, 30)
    pool = Node((1,), Resize(Taps.AREA, 20, 1), Resize(Taps.AREA, 30, 1), 1, 1, whole=True)
    gated = Node((1,), IDENTITY, IDENTITY, 20, 30, gates=(2,))
    geometry = Geometry(20, 30, (image, conv, pool, gated), (("pool", 2), ("gated", 3)), "gated")
    field = geometry.field("gated", 5, 7)
    assert field.box == Box(6, 4, 9, 7)
    assert field.status is Status.WHOLE
    assert geometry.field("pool", 0, 0).box == Box(-1, -1, 31, 21)


def test_an_unknown_step_says_why():
    image, odd = (
        Node((), IDENTITY, IDENTITY, 8, 8),
        Node((0,), IDENTITY, IDENTITY, 8, 8, reason="'roll' moves pixels around"),
    )
    field = Geometry(8, 8, (image, odd), (("roll", 1),), "roll").field("roll", 1, 1)
    assert field.status is Status.UNKNOWN
    assert field.reason == "'roll' moves pixels around"


def test_a_wrong_layer_names_near_ones():
    with pytest.raises(SegvizError, match=r"no layer 'conv5'.*conv5_1, conv5_2, conv5_3"):
        networks.vgg().field("conv5", 0, 0)


# -------------------------------------------------------------------------- boxes and frames

edges = st.integers(-40, 60)


@given(left=edges, top=edges, width=st.integers(1, 50), height=st.integers(1, 50))
def test_box_outside_counts_pixels(left, top, width, height):
    box, image = Box(left, top, left + width, top + height), (30, 20)
    pixels = [(x, y) for x in range(left, left + width) for y in range(top, top + height)]
    out = sum(not (0 <= x < image[0] and 0 <= y < image[1]) for x, y in pixels)
    assert box.outside(*image) == pytest.approx(out / len(pixels))


@given(left=edges, top=edges, width=st.integers(0, 50), height=st.integers(0, 50))
def test_clipped_boxes_lie_inside(left, top, width, height):
    clipped = Box(left, top, left + width, top + height).clipped(30, 20)
    assert 0 <= clipped.left <= clipped.right <= 30
    assert 0 <= clipped.top <= clipped.bottom <= 20


sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
coordinates = st.floats(-5000, 5000)


@given(image=sizes, inner=sizes, x=coordinates, y=coordinates)
def test_frame_round_trip(image, inner, x, y):
    frame = Frame(image, inner, inner)
    assert frame.to_image(*frame.to_network(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(image=sizes, inner=sizes, left=st.integers(-99, 99), top=st.integers(-99, 99), side=st.integers(1, 200))
def test_frame_carries_box_and_center_alike(image, inner, left, top, side):
    frame, box = Frame(image, inner, inner), Box(left, top, left + side, top + side)
    assert frame.box_to_image(box).center == pytest.approx(frame.to_image(*box.center), abs=1e-6)


@given(
    image=sizes, inner=sizes, corner=st.tuples(st.integers(0, 200), st.integers(0, 200)), x=coordinates, y=coordinates
)
def test_a_frame_padded_all_around_moves_positions_and_boxes_alike(image, inner, corner, x, y):
    top, left = corner
    plain, moved = Frame(image, inner, inner), Frame(image, inner, (inner[0] + 400, inner[1] + 400), corner)
    there = plain.to_network(x, y)
    assert moved.to_network(x, y) == pytest.approx((there[0] + left, there[1] + top))
    assert moved.to_image(*moved.to_network(x, y)) == pytest.approx((x, y), abs=1e-6)
    box = Box(there[0], there[1], there[0] + 5, there[1] + 3)
    shifted = Box(box.left + left, box.top + top, box.right + left, box.bottom + top)
    assert moved.box_to_image(shifted) == pytest.approx(plain.box_to_image(box), abs=1e-6)


def test_half_size_input_doubles_boxes():
    frame = Frame(image=(100, 200), inner=(50, 100), outer=(64, 128))
    assert frame.box_to_image(Box(0, 0, 100, 50)) == Box(0, 0, 200, 100)
    assert frame.to_image(0, 0) == (0.5, 0.5)  # one pixel of the network covers two by two of the image


@given(image=sizes, inner=sizes, start=st.floats(-50, 200), stride=st.floats(0.5, 64), row=small, column=small)
def test_frame_lattice_agrees_with_single_positions(image, inner, start, stride, row, column):
    frame, law = Frame(image, inner, inner), Law(start, stride)
    lattice = frame.lattice(9, 9, law, law)
    expected = frame.to_image(law.at(column), law.at(row))
    assert lattice.position_of(row, column) == pytest.approx(expected, abs=1e-6)


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    start=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    stride=st.tuples(st.floats(0.25, 64), st.floats(0.25, 64)),
    data=st.data(),
)
def test_lattice_cell_is_found_at_its_position(rows, columns, start, stride, data):
    lattice = Lattice(rows, columns, start, stride)
    cell = data.draw(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)))
    assert lattice.cell_at(*lattice.position_of(*cell)) == cell


def test_numbers_for_people():
    assert tidy([4.0, 2.5, 1 / 3]) == [4, 2.5, 0.333]
    assert pair(32.0, 32) == 32
    assert pair(32, 16.5) == [32, 16.5]


# ------------------------------------------------------------------------------------- windows


@given(
    st.integers(1, 300), st.integers(1, 300), st.floats(0.1, 3), st.integers(1, 40), st.floats(-50, 400),
    st.floats(-50, 400),
)  # fmt: skip
def test_a_window_lies_inside_the_image_at_the_nearest_network_pixel(height, width, scale, size, x, y):
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    frame = Frame((height, width), inner, inner)
    left, top = frame.window((size, size), x, y)
    assert 0 <= left <= max(0, inner[1] - size)
    assert 0 <= top <= max(0, inner[0] - size)
    box = frame.window_box((size, size), x, y)
    assert frame.window((size, size), box.left, box.top) == (left, top)  # what is drawn is what is meant
    if 0 < left < inner[1] - size:
        assert abs(box.left - x) <= 0.5 / frame.zoom[1] + 1e-9


def test_a_window_larger_than_the_image_begins_in_its_corner():
    frame = Frame((20, 50), (20, 50), (32, 50))
    assert frame.window((32, 32), 10, 10) == (10, 0)
    assert frame.window_box((32, 32), 10, 10) == Box(10, 0, 42, 32)

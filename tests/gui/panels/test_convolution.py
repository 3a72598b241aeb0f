"""The convolution laboratory: what is on each page, what gestures change, what leaves it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel

from segviz.core import convolutions
from segviz.core.convolution_lab import Between, ConvolutionLab, Page, Preset, Rounding, Source
from segviz.core.field import EVERYTHING, Status
from segviz.core.requests import ConvertedLayer
from segviz.core.session import Unit
from segviz.core.steps import Window
from segviz.gui import theme, words
from segviz.gui.panels import convolution_maps
from segviz.gui.panels.convolution import ConvolutionPanel
from segviz.gui.panels.convolution_head import surgery
from segviz.gui.panels.convolution_table import FRACTION
from segviz.gui.widgets.cell_numbers import short
from tests.gui import convolution_scenes, scenes
from tests.gui.convolution_scenes import laboratory

SIZE, STAGE = (1390, 190), (900, 520)


@pytest.fixture
def lab(shown):
    """Makes a shown panel, its stage below it, so that the mouse finds it."""

    def make(scene):
        one = shown(ConvolutionPanel, scene, SIZE)
        one.panel.stage.setGeometry(0, SIZE[1] + 60, *STAGE)
        one.panel.stage.show()
        QApplication.processEvents()
        return one

    return make


def page(one):
    return one.panel.pages[one.state.convolution_lab.page]


def tiles(one):
    return {tile.title: tile for tile in page(one).board.tiles}


def click(qtbot, widget, at=None):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or widget.rect().center())
    QApplication.processEvents()


def over(qtbot, widget, at):
    for step in (QPoint(2, 2), QPoint()):
        qtbot.mouseMove(widget, at - step)
        QApplication.processEvents()


def cell(board, tile: int, row: int, column: int) -> QPoint:
    """The middle of a cell of a tile."""
    rect, (rows, columns) = board.rects(tile)[0], board.tiles[tile].main.values.shape
    x = rect.left() + (column + 0.5) * rect.width() / columns
    return QPoint(round(x), round(rect.top() + (row + 0.5) * rect.height() / rows))


# ------------------------------------------------------------------------------------ products


def test_the_tiles_are_one_sum(lab):
    one = lab(laboratory())
    found, shown = one.scene.sums.found, tiles(one)
    table = page(one).table
    assert list(shown) == ["Input", "Patch", "× Weights", "= Products", "Output"]
    patch, weights, products = (shown[name].main.values for name in ("Patch", "× Weights", "= Products"))
    np.testing.assert_allclose(products, patch * weights, rtol=1e-6)
    first = table.shares[0]
    assert products.sum() == pytest.approx(first.value)
    assert first.value == max((share.value for share in table.shares), key=abs)
    assert table.shares[-1].so_far == pytest.approx(float(found.outputs[found.place]), rel=1e-5)
    assert "6 maps, 150 products" in page(one).said.text()
    assert "the same" in page(one).said.text()
    assert one.panel.frame.what.text().startswith(
        "c3: 5 × 5 on 6 maps · stride 1 · padding 2".replace(" × ", "\u202f×\u202f")
    )


@pytest.mark.parametrize(("number", "text"), [
    (0.104, ".104"), (0.1, ".1"), (0.1004, ".100"), (-1.3, "-1.3"), (4.4236, "4.42"), (12.44, "12.4"), (-284.6, "-285"),
    (0.0123456, ".0123"), (0.0012344, ".0012"), (0.00012, ".0001"), (0, "0"), (-3e-9, "~0"), (-3, "-3"),
    (2_000_000, "2e+06"), (-0.9996, "-1.00"), (99.97, "100"),
])  # fmt: skip
def test_numbers_in_cells_have_three_figures(number, text):
    assert short(number) == text
    assert short(round(number), whole=True) == str(round(number))


def test_the_arithmetic_in_the_cells_looks_true(lab):
    """'4.42' times '.1' is not '.46': figures that are written, multiplied, are those of the product, to 1.5 %."""
    one = lab(laboratory())
    patch, weights, products = (tiles(one)[name].main.values for name in ("Patch", "× Weights", "= Products"))
    compared = 0
    for numbers in zip(patch.flat, weights.flat, products.flat, strict=True):
        if min(abs(number) for number in numbers) > 0.01:
            a, b, product = (float(short(float(number))) for number in numbers)
            assert a * b == pytest.approx(product, rel=0.015, abs=1e-4)
            compared += 1
    assert compared > 10


def test_the_sums_so_far_begin_at_the_bias(lab):
    one = lab(laboratory())
    table = page(one).table
    model, first, bias = table.model(), table.shares[0], one.scene.sums.found.bias
    assert first.so_far == pytest.approx(bias + first.value)
    head = (Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
    assert model.headerData(2, *head) == "Bias + sums"
    assert QFontMetrics(table.font()).horizontalAdvance("Bias + sums") < table.columnWidth(2)


def test_powers_of_ten_fit_into_the_table(lab):
    """A sum of '−3.96 × 10⁻⁵' that is cut off reads as another number."""
    tiny = 1e-5
    for scene in (laboratory(), weighing()):
        found = scene.sums.found
        scene = replace(scene, sums=replace(scene.sums, found=replace(found, weights=found.weights * tiny, bias=0.0)))
        table = page(lab(scene)).table
        model, wide = table.model(), QFontMetrics(theme.numbers()).horizontalAdvance
        assert words.has_power(table.shares[-1].value)
        for row in range(len(table.shares)):
            for column in range(model.columnCount()):
                assert table.columnWidth(column) > wide(model.index(row, column).data()) + 4, (row, column)


def test_a_layer_whose_value_is_another_one_is_said_to_differ(lab):
    scene = laboratory()
    found = scene.sums.found
    wrong = replace(scene.sums, found=replace(found, outputs=found.outputs + 0.5))
    one = lab(replace(scene, sums=wrong))
    assert "differs by 0.5" in page(one).said.text()


def test_a_row_of_the_table_shows_its_map(lab, qtbot):
    one = lab(laboratory())
    table = page(one).table
    click(qtbot, table.viewport(), table.visualRect(table.model().index(3, 0)).center())
    assert one.state.convolution_lab.channel == table.shares[3].channel
    assert tiles(one)["= Products"].main.values.sum() == pytest.approx(table.shares[3].value)
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert one.state.convolution_lab.channel == table.shares[4].channel


def weighing(ins: int = 40):
    """LeNet-5's scene with a filter that has one weight a map."""
    scene = laboratory()
    return replace(scene, sums=convolution_scenes.sum_answer(scene, ins=ins, window=Window(1, 1, 1, 0)))


def test_a_filter_of_one_weight_a_map_is_a_list_of_terms(lab, qtbot):
    """Patch, weights and products of a single number each would be three squares of one colour."""
    one = lab(weighing())
    found, table = one.scene.sums.found, page(one).table
    assert list(tiles(one)) == ["Input", "Output"]
    model, head = table.model(), (Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
    assert [model.headerData(at, *head) for at in range(5)] == [
        "Map",
        "Input",
        "× Weight",
        "= Product",
        "Bias + sum so far",
    ]
    channel = table.shares[3].channel
    top, left = found.place
    texts = [model.index(3, at).data() for at in range(4)]
    says, weight = float(found.maps[channel, top, left]), float(found.weights[channel, 0, 0])
    assert texts == [str(channel), words.value(says), words.value(weight), words.value(says * weight)]
    fractions = [model.index(row, 3).data(FRACTION) for row in range(model.rowCount())]
    assert abs(fractions[0]) == 1
    assert [abs(fraction) for fraction in fractions] == sorted(map(abs, fractions), reverse=True)
    assert model.index(0, 2).data(FRACTION) is None, "only what is added has a bar"
    assert model.index(39, 4).data() == words.value(float(found.outputs[found.place]))
    assert "one weight for each map" in page(one).note.said()
    one.show(laboratory())
    assert len(tiles(one)) == 5
    assert not page(one).table.has_terms


def test_maps_and_table_leave_as_one_drawing(lab):
    """Cells stay rectangles and numbers text: a picture of a pixel a value would be blurred by what opens it."""
    one = lab(weighing())
    drawing = page(one).svg().decode()
    assert "<image" not in drawing
    table = page(one).table
    assert f">{table.model().index(0, 3).data()}<" in drawing
    assert page(one).picture().size() == page(one).stage.size() * 2


def test_terms_of_a_single_unit_need_no_maps(lab):
    """A dense layer on its own input size: what remains is the list, as wide as the stage."""
    scene = weighing()
    found = scene.sums.found
    at = (slice(found.place[0], found.place[0] + 1), slice(found.place[1], found.place[1] + 1))
    unit = replace(found, maps=found.maps[:, at[0], at[1]], outputs=found.outputs[at], block=found.unit[1:])
    one = lab(replace(scene, sums=replace(scene.sums, found=unit)))
    assert page(one).board.isHidden()
    assert page(one).table.maximumWidth() >= page(one).stage.width()


def test_the_table_stands_below_where_the_stage_is_narrow(lab):
    one = lab(laboratory())
    stage, board, table = page(one).stage, page(one).board, page(one).table
    for wide, beside in ((900, True), (420, False)):
        stage.resize(wide, 500)
        stage.layout().activate()
        assert (table.x() >= board.geometry().right()) is beside
        assert (table.y() >= board.geometry().bottom()) is not beside


def test_maps_of_a_group_have_their_numbers_in_the_layer(lab):
    scene = laboratory(channel=14)
    grouped = replace(scene.sums, found=replace(scene.sums.found, first_map=12, groups=2))
    one = lab(replace(scene, sums=grouped))
    tile = tiles(one)["Input"]
    assert (tile.note, tile.short) == (f"map 14, rows 4–15, columns 14–25 of 42{words.TIMES}58", "map 14")
    np.testing.assert_array_equal(tiles(one)["Input"].main.values, scene.sums.found.maps[2])


def test_a_click_on_the_output_pins_what_sits_there(lab, qtbot):
    one = lab(laboratory())
    found, board = one.scene.sums.found, page(one).board
    over(qtbot, board, cell(board, 4, 1, 6))
    row, column = found.block[0] + 1, found.block[1] + 6
    network = one.scene.network
    wanted = network.frame.to_image(*network.geometry.position_of("c3", row, column))
    assert one.commands.asked[-1] == ("point_at", (wanted,))
    click(qtbot, board, cell(board, 4, 1, 6))
    assert one.state.unit == Unit(4, row, column)


def test_the_image_through_a_preset(lab):
    scene = laboratory(source=Source.IMAGE, preset=Preset.SOBEL_X)
    one = lab(replace(scene, state=replace(scene.state, cursor=(50.0, 40.0))))
    grey = convolutions.grey(scene.picture.pixels)
    shown = tiles(one)
    np.testing.assert_array_equal(shown["Patch"].main.values, grey[39:42, 49:52])
    rows = np.asarray(convolutions.kernel_rows(Preset.SOBEL_X))
    wanted = convolutions.Sliding.over(grey, rows, padding=1).output()
    output, frame = shown["Output"].main.values, shown["Output"].main.frame
    assert output[frame[:2]] == wanted[40, 50]
    top, left = 40 - frame[0], 50 - frame[1]
    np.testing.assert_allclose(output, wanted[top : top + 64, left : left + 64])


@pytest.mark.parametrize("width", [1, 2, 4, 5])
def test_the_corner_of_the_image_sees_padding(lab, width):
    """Zeros are where the image ends, and nowhere else."""
    scene = laboratory(source=Source.IMAGE, preset=Preset.EDITED, edited=((1.0,) * width,) * width)
    work = convolution_maps.work_of(replace(scene, state=replace(scene.state, cursor=(0.0, 0.0))), 64, False)
    assert work.place == (0, 0)
    assert work.outputs.shape == (64, 64)
    before = width // 2
    patch = convolutions.grey(scene.picture.pixels)[: width - before, : width - before]
    assert work.outputs[0, 0] == pytest.approx(patch.sum())
    assert work.sliding.real.sum() == (work.sliding.real.shape[0] - before) * (work.sliding.real.shape[1] - before)


@pytest.mark.parametrize(("page_of", "padding"), [(Page.PRODUCTS, 0), (Page.SLIDING, 0), (Page.SLIDING, 1)])
def test_sums_of_grey_levels_are_whole_numbers(lab, page_of, padding):
    """A cell that says 1021 over a note that says 1.02e+03 looks like two sums."""
    own = {"preset": Preset.EDITED, "edited": ((5.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))}
    one = lab(laboratory(page_of, source=Source.IMAGE, padding=padding, **own))
    total = round(float(tiles(one)["= Products"].main.values.sum()))
    assert total
    text = f"{total:,}".replace("-", "−")
    assert tiles(one)["= Products"].note == f"their sum: {text}"
    assert tiles(one)["Output"].note.endswith(f": {text}")
    assert page(one).said.text() == f"9 products sum to {text}"


HATCHED = "Hatched cells are padding: zeros outside the map."


def corner_of_a_layer():
    """LeNet-5's scene with the unit at the corner of its map, which sees two rows and columns of padding."""
    scene = laboratory()
    found = convolution_scenes.layer_sum((4, 0, 0), (16, 42, 58))
    return replace(scene, sums=replace(scene.sums, found=found))


def test_padding_is_hatched_and_said_where_there_is_any(lab):
    for scene, there in (
        (laboratory(Page.SLIDING, source=Source.IMAGE, padding=1), True),
        (laboratory(Page.SLIDING, source=Source.IMAGE, padding=0), False),
        (corner_of_a_layer(), True),
        (laboratory(), False),
    ):
        one = lab(scene)
        padding = tiles(one)["Input"].main.padding
        assert padding.any() == there
        assert page(one).note.said().endswith(HATCHED) == there
        assert padding[0].all() == padding[:, 0].all() == there


def test_the_patch_has_the_padding_that_its_input_has(lab):
    shown = tiles(lab(corner_of_a_layer()))
    row, column, tall, wide = shown["Input"].main.frame
    assert shown["Patch"].main.padding.sum() == 16
    inside = shown["Input"].main.padding[row : row + tall, column : column + wide]
    np.testing.assert_array_equal(shown["Patch"].main.padding, inside)


@pytest.mark.parametrize("source", Source)
def test_a_value_has_one_colour_in_input_and_patch(lab, source):
    """The patch has the input's scale, not one of its own: it looks like the part of the input that it is."""
    scene = laboratory(source=source, preset=Preset.SOBEL_X)
    maps = scene.sums.found.maps.copy()
    maps[:, 0, 0] = 5  # what no patch about the unit has
    shown = tiles(lab(replace(scene, sums=replace(scene.sums, found=replace(scene.sums.found, maps=maps)))))
    whole, patch = shown["Input"].main, shown["Patch"].main
    assert abs(patch.values).max() < abs(whole.values).max()
    top, left, tall, wide = whole.frame
    assert patch.image == whole.image.copy(left, top, wide, tall)


def test_typing_into_the_kernel_makes_it_ones_own(lab, qtbot):
    one = lab(laboratory(source=Source.IMAGE, preset=Preset.IDENTITY))
    table = page(one).kernel.table
    table.item(0, 2).setText("7")
    assert one.state.convolution_lab.preset is Preset.EDITED
    assert one.state.convolution_lab.edited == ((0, 0, 7), (0, 1, 0), (0, 0, 0))
    page(one).kernel.width.menu().actions()[0].trigger()
    assert one.state.convolution_lab.edited == ((1.0,),)
    page(one).kernel.preset.choose(Preset.LAPLACIAN)
    assert tiles(one)["× Weights"].main.values.sum() == 0


@pytest.mark.parametrize("text", ["abc", "", "1e7", "nan"])
@pytest.mark.parametrize("page_of", [Page.PRODUCTS, Page.SLIDING, Page.MATRIX, Page.COLLAPSE])
def test_a_weight_that_is_not_taken_is_said_in_one_line(lab, page_of, text):
    """It goes back to what was there: without a word, a person would believe that it was taken."""
    one = lab(laboratory(page_of, source=Source.IMAGE, preset=Preset.IDENTITY))
    kernel, said = page(one).kernel, page(one).said
    kernel.table.item(0, 2).setText(text)
    assert kernel.refusal.text() == f"“{text}” is no weight: a number from −1,000,000 to 1,000,000"
    assert (kernel.refusal.isHidden(), said.isHidden()) == (False, True), "in the other's place: no line more"
    assert kernel.table.item(0, 2).text() == "0"
    assert one.state.convolution_lab.preset is Preset.IDENTITY
    kernel.table.item(0, 2).setText("7")
    assert (kernel.refusal.isHidden(), said.isHidden()) == (True, False)


def test_what_was_refused_is_said_no_more_behind_another_choice(lab):
    one = lab(laboratory(source=Source.IMAGE, preset=Preset.IDENTITY))
    kernel = page(one).kernel
    kernel.table.item(0, 2).setText("abc")
    kernel.preset.choose(Preset.LAPLACIAN)
    assert kernel.refusal.isHidden()
    assert not page(one).said.isHidden()


def test_the_numbers_of_the_kernel_have_a_caption_and_a_line_on_each_side(lab):
    one = lab(laboratory(source=Source.IMAGE))
    table = page(one).kernel.table
    assert [label.text() for label in page(one).kernel.beside.findChildren(QLabel)] == ["Kernel"]
    image = table.viewport().grab().toImage()
    right, bottom = table.horizontalHeader().length() - 1, table.verticalHeader().length() - 1
    scale = image.devicePixelRatio()
    line, ground = (image.pixelColor(round(x * scale), round(y * scale)) for x, y in ((right, 5), (5, 5)))
    assert line != ground
    for x, y in ((0, 5), (5, 0), (right, 5), (5, bottom)):
        assert image.pixelColor(round(x * scale), round(y * scale)) == line, (x, y)


# ------------------------------------------------------------------------------------- sliding


def test_the_output_fills_while_the_kernel_slides(lab, qtbot):
    one = lab(laboratory(Page.SLIDING))
    found, player = one.scene.sums.found, page(one).player
    assert player.count == found.outputs.size == 64
    assert np.isfinite(tiles(one)["Output"].main.values).sum() == 1
    click(qtbot, player.forth)
    player.go(9)
    shown = tiles(one)
    assert np.isfinite(shown["Output"].main.values).sum() == 10
    assert shown["Output"].main.frame == (1, 1, 1, 1)
    assert shown["Input"].main.frame == (1, 1, 5, 5)
    np.testing.assert_array_equal(shown["Output"].main.values[0], found.outputs[0])


def test_where_the_kernel_is_stands_in_one_place(lab):
    """The header would name the pinned unit, and the output the position that the player is at."""
    one = lab(laboratory(Page.SLIDING))
    page(one).player.go(9)
    row, column = (at + 1 for at in one.scene.sums.found.block)
    assert tiles(one)["Output"].note.startswith(f"row {row}, column {column}:")
    assert tiles(one)["Output"].short.startswith(f"y {row}, x {column}:"), "in a narrow tile"
    rows, columns = tiles(one)["Patch"].note.split(", ")
    assert tiles(one)["Patch"].short == f"{rows.replace('rows', 'y')}, {columns.replace('columns', 'x')}"
    header = one.panel.frame.what.text()
    assert "filter 4" in header
    assert "row" not in header
    one.show(laboratory())
    assert one.panel.frame.what.text().endswith("filter 4, row 10, column 20")


def test_the_real_stride_and_dilation_move_the_frame(lab):
    scene = laboratory(Page.SLIDING)
    window = Window(3, 2, 2, 1)
    unit, shape = (4, 10, 20), (16, 42, 58)
    found = convolution_scenes.layer_sum(unit, shape, window=window)
    one = lab(replace(scene, sums=replace(scene.sums, found=found)))
    page(one).player.go(9)
    shown = tiles(one)["Input"].main
    assert shown.frame == (2, 2, 5, 5)
    assert shown.marks == tuple((row, column) for row in (2, 4, 6) for column in (2, 4, 6))


def test_the_film_has_a_frame_a_position(lab):
    one = lab(laboratory(Page.SLIDING, source=Source.IMAGE, padding=1, stride=2))
    name, frames = page(one).film()
    assert name == "sliding-kernel.gif"
    found = list(frames())
    assert len(found) == page(one).player.count == 25
    assert found[0] != found[-1]


def test_a_kernel_that_does_not_fit_says_what_helps(lab):
    one = lab(convolution_scenes.on(scenes.full(picture=scenes.picture(5, 5)), Page.SLIDING, source=Source.IMAGE,
                                    dilation=3))  # fmt: skip
    assert "the kernel reaches over 7 units" in one.panel.frame.note.said()
    assert not one.panel.wants_stage(one.scene)


# -------------------------------------------------------------------------------------- matrix


def test_a_row_of_the_matrix_lights_its_patch_and_output(lab, qtbot):
    one = lab(laboratory(Page.MATRIX, side=5))
    board, maps = page(one).board, page(one).maps
    assert "225 entries · 81 from the kernel's 9 positions (36" in page(one).said.text()
    over(qtbot, board, cell(board, 0, 4, 12))
    assert board.tiles[0].main.frame == (4, 0, 1, 25)
    assert (maps.tiles[1].main.marks, maps.tiles[1].main.frame) == ((), (1, 1, 3, 3))
    assert maps.tiles[2].main.frame == (1, 1, 1, 1)
    over(qtbot, maps, cell(maps, 2, 2, 0))
    assert board.tiles[0].main.frame == (6, 0, 1, 25)
    QTest.keyClick(board, Qt.Key.Key_Down)
    assert board.tiles[0].main.frame == (5, 0, 1, 25)


def test_equal_weights_at_several_positions_are_not_said_to_be_distinct(lab):
    """Sobel x has five numbers at nine positions, three of them zero: nine colours are no nine weights."""
    one = lab(laboratory(Page.MATRIX, side=5, preset=Preset.SOBEL_X))
    said, note = page(one).said.text(), page(one).note.said()
    assert "the kernel's 9 positions" in said
    assert "each its own colour · equal to the convolution" in said
    assert "distinct" not in said
    assert "hold a weight" not in said
    assert "Equal colours are the same position of the kernel" in note
    assert page(one).maps.tiles[0].note == "a colour for each position"


def test_dilation_scatters_the_pixels_of_a_row(lab):
    one = lab(laboratory(Page.MATRIX, side=5, dilation=2))
    image = page(one).maps.tiles[1].main
    assert (image.marks, image.frame) == (tuple((y, x) for y in (0, 2, 4) for x in (0, 2, 4)), None)


def test_equal_positions_have_equal_colours(lab):
    one = lab(laboratory(Page.MATRIX, side=4))
    image = page(one).board.tiles[0].main.image
    colours = {image.pixelColor(x, y).name() for y in range(image.height()) for x in range(image.width())
               if image.pixelColor(x, y).alpha()}  # fmt: skip
    assert len(colours) == 9
    assert image.pixelColor(0, 0) == image.pixelColor(1, 1) == image.pixelColor(5, 3)


# ---------------------------------------------------------------- activation, two layers, pooling


def test_the_map_before_and_after_its_activation(lab):
    one = lab(laboratory(Page.RELU))
    shown, found = tiles(one), one.scene.sums.found
    assert list(shown) == ["Before", "ReLU", "The network's tanh"]
    np.testing.assert_array_equal(shown["ReLU"].main.values, np.maximum(shown["Before"].main.values, 0))
    np.testing.assert_allclose(shown["The network's tanh"].main.values, np.tanh(shown["Before"].main.values))
    row, column = shown["Before"].main.frame[:2]
    assert shown["Before"].main.values[row, column] == found.before[found.unit[1:]]
    assert f"of {found.before.size:,} units are negative" in page(one).said.text()


def test_a_relu_of_the_networks_own_is_not_shown_twice(lab):
    scene = laboratory(Page.RELU)
    one = lab(replace(scene, sums=replace(scene.sums, found=replace(scene.sums.found, activation="ReLU"))))
    assert list(tiles(one)) == ["Before", "ReLU"]


def test_two_layers_collapse_until_a_relu_stands_between_them(lab):
    one = lab(laboratory(Page.COLLAPSE, preset=Preset.SOBEL_X, second=Preset.LAPLACIAN))
    shown = tiles(one)
    assert shown["Kernel of kernels"].main.values.shape == (5, 5)
    assert np.abs(shown["Difference"].main.values).max() < 1e-9
    assert "Two linear layers are one" in page(one).said.text()
    page(one).between.choose(Between.RELU)
    assert np.abs(tiles(one)["Difference"].main.values).max() > 1
    assert "no one layer does it" in page(one).said.text()


def test_pooling_marks_what_survives(lab):
    one = lab(laboratory(Page.POOLING))
    shown = tiles(one)
    assert shown["Map"].main.values.shape == (12, 12)
    assert len(shown["Map"].main.marks) == 36
    assert "36 of 144 samples survive, 75" in page(one).said.text()
    for row, column in shown["Map"].main.marks:
        assert shown["Max"].main.values[row // 2, column // 2] == shown["Map"].main.values[row, column]
    page(one).window.menu().actions()[1].trigger()
    page(one).step.menu().actions()[0].trigger()
    assert tiles(one)["Average"].main.values.shape == (10, 10)


# ------------------------------------------------------------------------ parameters, shift, head


def test_parameters_of_lenet_in_grey_and_colour(lab, qtbot):
    """oracles.md: 61,706 and 86,950; T07: colour makes 456 of 156 in the first layer, and three times the MLP's."""
    one = lab(laboratory(Page.PARAMETERS, lecture=True))
    here = page(one)
    assert "61,706 parameters" in here.network.title.text()
    assert "86,950 parameters" in here.dense.title.text()
    click(qtbot, here.channels.button(True))
    assert one.state.convolution_lab.colour
    assert here.network.bars.bars[0].value.startswith("456")
    assert here.dense.bars.bars[0].value.startswith("258,132")
    click(qtbot, here.which.button(False))
    assert [bar.name for bar in here.network.bars.bars] == ["c1", "c3", "c5", "f6", "output"]
    assert sum(row[3] for row in here.rows()[1:6]) == 61_706 + 300


def test_a_network_is_counted_for_the_images_it_takes_until_others_are_chosen(lab, qtbot):
    """RGB for a network that takes RGB; of another number of channels the title says so."""
    scene = laboratory(Page.PARAMETERS)
    takes_rgb = replace(scene.known, entry=replace(scene.known.entry, input_size=(3, 32, 32)))
    for known, colour in ((scene.known, False), (takes_rgb, True)):
        one = lab(replace(scene, network=known))
        here = page(one)
        assert here.channels.button(colour).isChecked()
        first = next(layer for layer in known.layers if layer.leaf and layer.parameters)
        assert here.network.bars.bars[0].value.startswith(f"{first.parameters:,} ")
        assert "images" not in here.network.title.text()
        click(qtbot, here.channels.button(not colour))
        assert f" for {'grey' if colour else 'colour'} images" in here.network.title.text()


def test_layers_keep_their_names_where_the_stage_is_narrow(lab):
    """Beside one another two charts would leave room for numbers alone."""
    one = lab(laboratory(Page.PARAMETERS))
    here = page(one)
    for wide in (900, 470):
        one.panel.stage.resize(wide, 520)
        QApplication.processEvents()
        names, _ = here.network.bars._columns()
        assert names >= QFontMetrics(here.network.bars.font()).horizontalAdvance("output")
    assert here.dense.y() >= here.network.geometry().bottom()


def test_the_shift_is_told_and_subtracted(lab):
    one = lab(laboratory(Page.SHIFT))
    shown = tiles(one)["Moved back and subtracted"].main.values
    assert not np.nan_to_num(shown).any()
    assert np.isnan(shown[:, -1]).all()
    assert not np.isnan(shown[:, :-1]).any()
    assert page(one).said.text().startswith("The map moved 1 unit right: the 150 units")
    assert "f6 by up to 5.000, output by up to 5.000" in page(one).note.said()
    page(one).dx.menu().actions()[0].trigger()
    assert one.state.convolution_lab.dx == -32
    page(one).dx.menu().actions()[-1].trigger()
    assert one.state.convolution_lab.dx is None


def test_the_shift_is_one_stride_until_another_is_chosen(lab):
    one = lab(laboratory(Page.SHIFT))
    assert page(one).dx.value == "one stride, 4 px"
    assert one.panel.frame.what.text().startswith("c3, map 4 · shifted 4 pixels right")
    scene = laboratory(Page.SHIFT, dx=-2)
    one.show(replace(scene, shift=replace(scene.shift, layer="c1")))
    assert page(one).dx.value == "-2 px"
    assert page(one).note.said().startswith("c3 answers with a vector, which has no place to shift to: c1 before it")


def test_a_shift_of_half_a_unit_is_said_to_be_one(lab):
    scene = laboratory(Page.SHIFT)
    one = lab(replace(scene, shift=replace(scene.shift, moved=(0.0, 0.5))))
    assert "0.5 units right: between two units" in page(one).said.text()


def test_where_no_unit_counts_the_reason_is_that_of_its_field(lab):
    """Squeeze-and-excitation averages the whole image: the border is no reason for what no unit can do."""
    scene = laboratory(Page.SHIFT)
    one = lab(replace(scene, shift=replace(scene.shift, inside=0)))
    assert "every field reaches over the border" in page(one).said.text()
    one.show(replace(scene, shift=replace(scene.shift, inside=0, status=Status.WHOLE, reason=EVERYTHING)))
    assert page(one).said.text().endswith("but each unit sees the whole image: none can follow exactly")
    assert page(one).note.said().startswith("Each unit reaches the whole image, through global pooling")
    assert "border" not in page(one).said.text()
    own = replace(scene.shift, inside=0, status=Status.DATA, reason="'grid_sample' takes places from the image")
    one.show(replace(scene, shift=own))
    assert page(one).said.text().endswith("but no unit's field is known exactly")
    assert page(one).note.said().startswith("Fields are not exact: 'grid_sample' takes places from the image. Dense")


def test_a_map_that_does_not_follow_is_not_called_equal(lab):
    """A U-Net answers at every pixel, but poolings below it see a shift of one pixel otherwise."""
    scene = laboratory(Page.SHIFT)
    one = lab(replace(scene, shift=replace(scene.shift, difference=2.567)))
    said = page(one).said.text()
    assert "differ by up to 2.567: larger strides before this layer" in said
    assert "equal" not in said
    one.show(replace(scene, shift=replace(scene.shift, difference=2e-6)))
    assert "are equal to 2.0" in page(one).said.text()


def test_where_no_field_lies_inside_an_earlier_layer_is_advised(lab):
    scene = laboratory(Page.SHIFT)
    one = lab(replace(scene, shift=replace(scene.shift, inside=0)))
    assert "every field reaches over the border" in page(one).said.text()
    assert page(one).note.said().startswith("Choose an earlier layer")
    assert tiles(one)["Image"].note == "the network's input in grey levels"


def test_an_image_of_the_networks_own_size_proves_nothing(lab):
    scene = laboratory(Page.HEAD)
    rows = tuple(replace(row, larger=row.native, breaks="") for row in scene.sizes.rows)
    own = replace(scene.sizes, rows=rows, native=(1, *scene.sizes.request.size))
    one = lab(replace(scene, sizes=own))
    assert page(one).said.text().startswith("This is its own size: take a larger image to see whether it stops")
    one.show(replace(scene, sizes=replace(own, native=(1, 32, 32))))
    assert page(one).said.text().startswith("It runs on any such size")


def test_a_convolution_is_called_as_people_know_it(lab):
    scene = laboratory(Page.HEAD)
    rows = (replace(scene.sizes.rows[0], type="SameConv2d"), *scene.sizes.rows[1:])
    one = lab(replace(scene, sizes=replace(scene.sizes, rows=rows)))
    assert [page(one).table.item(row, 1).text() for row in (0, 1)] == ["Conv2d with SAME padding", "AvgPool2d"]


def test_where_the_larger_image_stops_and_the_surgery(lab, qtbot):
    one = lab(laboratory(Page.HEAD))
    here = page(one)
    assert here.said.text().startswith("It stops at c5: a dense layer takes 400 numbers and gets 9,744")
    column = [here.table.item(row, 3).text() for row in range(here.table.rowCount())]
    assert column[5:] == ["✕ stops", "–", "–"]
    assert "48,000 weights stay as they are" in here.step.said()
    click(qtbot, here.player.forth)
    assert here.step.said().startswith("f6: dense 120 to 84 becomes convolution 1x1, 120 to 84.")
    sizes = replace(one.scene.sizes, floor=(9, 9), ceil=(10, 10))
    one.show(replace(one.scene, sizes=sizes))
    assert "9\u202f×\u202f9 answers" in here.said.text()
    here.rounding.choose(Rounding.CEIL)
    assert "10\u202f×\u202f10 answers" in here.said.text()


@pytest.mark.parametrize("steps", [True, False], ids=["surgery", "stops"])
def test_the_view_goes_to_where_it_stops_however_long_the_network_is(lab, steps):
    """Also where the table was filled before it had a size."""
    scene = laboratory(Page.HEAD)
    first, *others = scene.sizes.rows
    rows = (*(replace(first, layer=f"block.{at}") for at in range(200)), *others)
    network = replace(scene.network, conversion=scene.network.conversion if steps else ())
    one = lab(replace(scene, network=network, sizes=replace(scene.sizes, rows=rows)))
    table = page(one).table
    for tall in (520, 200):
        one.panel.stage.resize(STAGE[0], tall)
        QApplication.processEvents()
        at = next(row for row in range(table.rowCount()) if table.item(row, 0).text() == "c5")
        assert table.viewport().rect().contains(table.visualItemRect(table.item(at, 0)))


def test_a_step_that_is_no_dense_layer_is_told_as_it_is():
    step = ConvertedLayer("avgpool", "average pooling to 6x6", "average of 6x6, stride 1")
    assert surgery(step) == "avgpool: average pooling to 6x6 becomes average of 6x6, stride 1."
    assert surgery(replace(step, after="nothing")).startswith("avgpool: average pooling to 6x6 is left out")


# -------------------------------------------------------------------------------- all the pages


SCENES = ("nothing", "picture only", "network only", "full", "unit outside", "unknown layer", "one pixel", "not finite",
          "older prediction", "thousand classes")  # fmt: skip


def test_every_page_survives_every_scene(lab):
    """Without an answer, with another network's, with a picture of one pixel: it shows something or says why not."""
    one = lab(laboratory())
    every = scenes.everything()
    for name in SCENES:
        for wanted in Page:
            for source in Source if wanted in (Page.PRODUCTS, Page.SLIDING, Page.POOLING) else (Source.LAYER,):
                state = replace(every[name].state, tab="convolution", convolution_lab=ConvolutionLab(wanted, source))
                one.show(replace(every[name], state=state))
                assert bool(one.panel.frame.note.said()) is not one.panel.wants_stage(one.scene), (name, wanted, source)


def test_pages_are_turned_and_their_numbers_leave(lab, qtbot):
    one = lab(laboratory())
    frame = one.panel.frame
    for wanted in Page:
        click(qtbot, frame.buttons[wanted])
        assert one.state.convolution_lab.page is wanted
        assert one.panel.stage.currentWidget() is page(one).stage
        for button, name in ((frame.copy, "copy_image"), (frame.save, "save_painted"), (frame.table, "save_table")):
            click(qtbot, button)
            assert one.commands.names()[-1] == name
            assert one.commands.asked[-1][1][0]
        assert frame.drawing.isEnabled() == page(one).drawn
        if page(one).drawn:
            assert page(one).svg().startswith(b"<?xml")
        assert frame.film.isEnabled() == (wanted is Page.SLIDING)


def test_every_control_says_what_it_does(lab):
    one = lab(laboratory())
    for wanted in Page:
        for button in one.panel.pages[wanted].settings.findChildren(QAbstractButton):
            if button.objectName() != "qt_tableview_cornerbutton":
                assert button.toolTip(), (wanted, button.text())
                assert button.accessibleName() or button.text(), wanted

"""The network in the canvas's place: opened, looked into, edited and left, by real events."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from segviz.core import session_file
from segviz.core.choices import NetworkView
from segviz.core.errors import SegvizError
from segviz.core.folding import Folding, Volume
from segviz.core.network_picture import NetworkPicture, Part
from segviz.core.paddings import PaddingRule
from segviz.core.session import Session, State, Unit
from segviz.core.what_if import Edit, edited
from segviz.gui import picturing, settings, theme
from segviz.gui.network_stage import NetworkStage
from segviz.gui.scene import Scene, Tab
from segviz.gui.statusbar import zoom_text
from segviz.gui.what_if_rows import outcome, read_size
from segviz.gui.widgets.network_paint import NetworkPainter
from segviz.gui.widgets.what_if_table import distinct, shrunk
from tests.core import skipped
from tests.gui import scenes


class Kept:
    """What a stage hands out."""

    def __init__(self):
        self.images, self.tables, self.files, self.done = [], [], [], []

    def copy_image(self, image):
        self.images.append(image)

    save_image = lambda self, image, name: self.images.append(image)  # noqa: E731

    def copy_table(self, rows):
        self.tables.append(rows)

    save_table = lambda self, rows, name: self.tables.append(rows)  # noqa: E731

    def save_with(self, name, kinds, write):
        self.files.append((name, write))

    def save_painted(self, name, kinds, paint):
        self.files.append((name, paint()))

    def do(self, identifier):
        self.done.append(identifier)


@pytest.fixture
def shown(qtbot, look):
    """Makes a stage that follows a session of its own: (stage, session, what it handed out)."""

    def make(network, **state):
        settings.settings().clear()
        held = Session(State(model="drawn", **({"network_view": NetworkView.PICTURE} | state)))
        kept = Kept()
        stage = NetworkStage(held, kept)
        settings.set_glides(False)
        qtbot.addWidget(stage)
        stage.resize(760, 480)
        stage.show_scene(Scene(held.state, network=network))
        held.listen(lambda old, new: stage.show_scene(Scene(new, network=network)))
        stage.show()
        stage.grab()
        return stage, held, kept

    yield make
    settings.settings().clear()


def spot(board, name):
    plan = board.figure.plan
    place = next(at for at, item in enumerate(plan.scheme.items) if isinstance(item, Volume) and item.name == name)
    at = board.projection
    return QPoint(round(at.left + plan.solids[place].middle * at.zoom), round(at.top))


def names(board):
    return [item.name for item in board.figure.plan.scheme.volumes]


# ------------------------------------------------------------------------------------ the window


def test_n_shows_the_network_and_escape_the_image_again(bench):
    one = bench()
    QTest.keyClick(one.window, Qt.Key.Key_N)
    one.turn()
    stage = one.window.stages.network
    assert one.state.network_view is NetworkView.PICTURE
    assert one.window.centre.currentWidget() is stage
    assert names(stage.board) == ["input", "c1", "s2", "c3", "s4", "c5", "f6", "output"]
    assert stage.board.figure.photograph is not None
    stage.zoom(1.5)
    told = one.window.statusBar().zoom.text()
    assert told == zoom_text(stage.board.projection.zoom)
    QTest.keyClick(one.window, Qt.Key.Key_Escape)
    one.turn()
    assert one.state.network_view is NetworkView.NONE
    assert one.window.centre.currentWidget() is one.window.canvas
    assert one.window.statusBar().zoom.text() == zoom_text(one.window.canvas.view.projection.zoom) != told


@pytest.mark.parametrize(("key", "tab"), [(Qt.Key.Key_4, Tab.UPSAMPLING), (Qt.Key.Key_5, Tab.CONVOLUTION)])
def test_a_laboratory_takes_its_place_also_before_it_has_an_answer(bench, key, tab):
    one = bench(State(image=scenes.PAGE, model="lenet5", layer="c3", network_view=NetworkView.PICTURE))
    QTest.keyClick(one.window, key, Qt.KeyboardModifier.ControlModifier)
    assert one.state.tab == tab
    assert one.state.network_view is NetworkView.NONE
    one.bring_up()
    assert one.window.stages.network is None


def test_the_button_in_the_network_panel_shows_it_too(bench):
    one = bench()
    panel = one.panel("network")
    QTest.mouseClick(panel._picture, Qt.MouseButton.LeftButton)
    one.turn()
    assert one.window.stages.network is not None
    assert panel._picture.isChecked()
    QTest.mouseClick(panel._picture, Qt.MouseButton.LeftButton)
    one.turn()
    assert one.window.stages.network is None


def test_a_clicked_volume_is_the_layer_of_all_views(bench):
    one = bench(State(image=scenes.PAGE, model="lenet5", network_view=NetworkView.PICTURE))
    stage = one.window.stages.network
    QTest.mouseClick(stage.board, Qt.MouseButton.LeftButton, pos=spot(stage.board, "c3"))
    one.bring_up()
    assert one.state.layer == "c3"
    assert one.scene.features.layer == "c3"
    QTest.keyClick(stage.board, Qt.Key.Key_Right)
    one.turn()
    assert one.state.layer == "s4"


def test_a_pinned_unit_lights_its_field_down_to_the_image(shown):
    """c3 of LeNet-5 sees 14 pixels (oracles.md); the image is 128 pixels wide."""
    stage, _, _ = shown(scenes.lenet(), layer="c3", unit=Unit(0, 5, 7))
    lit = stage.board.figure.lit
    assert (lit[0].right - lit[0].left) * 128 == pytest.approx(14)
    assert sorted(lit) == [0, 1, 2, 3]


def test_a_tab_with_a_stage_of_its_own_is_not_hidden_behind_the_network(bench):
    one = bench(State(image=scenes.PAGE, model="lenet5", network_view=NetworkView.PICTURE))
    one.window.bring_tab("heatmaps")
    one.turn()
    assert one.window.stages.network is not None, "heatmaps need no stage"
    one.window.bring_tab("upsampling")
    one.turn()
    assert one.state.network_view is NetworkView.NONE
    assert one.window.centre.currentWidget() is one.panel("upsampling").stage


def test_zoom_and_copy_reach_the_picture(bench):
    one = bench(State(image=scenes.PAGE, model="lenet5", network_view=NetworkView.PICTURE))
    board = one.window.stages.network.board
    whole = board.projection.zoom
    QTest.keyClick(one.window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert board.projection.zoom == pytest.approx(1.25 * whole)
    QTest.keyClick(one.window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    one.turn()
    copied = QApplication.clipboard().image()
    assert copied.width() > 2 * 600


def test_a_session_keeps_what_is_shown_of_the_network():
    state = State(
        model="lenet5",
        network_view=NetworkView.WHAT_IF,
        network_picture=NetworkPicture(frozenset({"a", "b.0"}), "a", (("c1", Edit((5, 3), (1, 2), (1, 1), (2, 0))),)),
    )
    read, remarks = session_file.from_json(session_file.to_json(state))
    assert read == state
    assert remarks == ()


@pytest.mark.parametrize(
    "bad",
    [
        "7", '{"toggled": "a"}', '{"toggled": [1]}', '{"focus": 3}', '{"edits": []}',
        '{"edits": {"c1": {"kernel": [0, 1]}}}', '{"edits": {"c1": {"kernel": [3]}}}',
        '{"edits": {"c1": {"kernel": [3, 3], "stride": [1, 1.5]}}}', '{"edits": {"c1": {"kernel": [3, 100000]}}}',
        '{"edits": {"c1": {"stride": [1, 1]}}}',
    ],
)  # fmt: skip
def test_a_session_with_a_bad_picture_opens_without_it(bad):
    state = f'{{"model": "lenet5", "network_picture": {bad}}}'
    read, remarks = session_file.from_json(f'{{"format": "segviz session", "version": 1, "state": {state}}}')
    assert read == State(model="lenet5")
    assert len(remarks) == 1
    assert remarks[0].startswith("network_picture")


def test_another_network_forgets_what_was_unfolded_and_edited():
    held = Session(State(model="lenet5", network_view=NetworkView.PICTURE, network_picture=NetworkPicture(focus="c1")))
    held.update(model="vgg16")
    assert held.state.network_picture == NetworkPicture()
    assert held.state.network_view is NetworkView.PICTURE


# ------------------------------------------------------------------------------------ looking in


def test_from_the_overview_into_a_block_into_a_layer_and_out_again(shown):
    stage, held, _ = shown(skipped.residual(20))
    whole = stage.board.projection.zoom
    QTest.mouseDClick(stage.board, Qt.MouseButton.LeftButton, pos=spot(stage.board, "body.4"))
    assert held.state.network_picture == NetworkPicture(frozenset({"body.4"}), "body.4")
    assert "body.4.conv2" in names(stage.board)
    inside = stage.board.projection.zoom
    assert inside > 1.5 * whole
    QTest.mouseDClick(stage.board, Qt.MouseButton.LeftButton, pos=spot(stage.board, "body.4.conv2"))
    assert held.state.network_picture.focus == "body.4.conv2"
    for focus in ("body.4", "body", None):
        QTest.keyClick(stage.board, Qt.Key.Key_Backspace)
        assert held.state.network_picture.focus == focus
    QTest.keyClick(stage.board, Qt.Key.Key_Backspace)
    assert held.state.network_picture == NetworkPicture(), "at last folded as at first"
    assert stage.board.projection.zoom == pytest.approx(whole)


def test_return_looks_into_the_selected_block(shown):
    stage, held, _ = shown(skipped.residual(20), layer="body.2")
    QTest.keyClick(stage.board, Qt.Key.Key_Return)
    assert held.state.network_picture.focus == "body.2"


def test_a_count_unfolds_in_place_and_a_name_folds(shown):
    stage, held, _ = shown(skipped.residual(20))
    QTest.mouseClick(stage.board, Qt.MouseButton.LeftButton, pos=stage.board._counts["body.4"].center().toPoint())
    assert held.state.network_picture == NetworkPicture(frozenset({"body.4"}))
    stage.board.grab()
    QTest.mouseClick(stage.board, Qt.MouseButton.LeftButton, pos=stage.board._brackets["body.4"].center().toPoint())
    assert held.state.network_picture == NetworkPicture()


def test_joins_and_the_image_are_no_layers(shown):
    stage, held, _ = shown(skipped.residual(1), layer="stem")
    QTest.mouseClick(stage.board, Qt.MouseButton.LeftButton, pos=spot(stage.board, "input"))
    assert held.state.layer == "stem"
    scene = Scene(held.state, network=skipped.residual(1))
    join = 4
    assert picturing.select(scene, Folding(scene.network), join) == {}
    assert picturing.enter(scene, Folding(scene.network), join) == {}


def test_the_picture_leaves_as_pixels_and_as_a_drawing(shown, tmp_path):
    stage, _, kept = shown(skipped.unet())
    stage.save.click()
    stage.copy.click()
    assert [image.isNull() for image in kept.images] == [False]
    stage.drawing.click()
    for name, write in kept.files:
        write(tmp_path / name)
    assert QImage(str(tmp_path / "network.png")).size() == kept.images[0].size()
    assert b"down0" in (tmp_path / "network.svg").read_bytes()


def test_the_picture_follows_the_edits_once_it_is_looked_at(shown):
    """While the table is in front no picture is made: an edit is answered sooner."""
    stage, held, _ = shown(skipped.unet(), network_view=NetworkView.WHAT_IF)
    assert stage.board.figure is None
    held.update(network_view=NetworkView.PICTURE)
    assert stage.board.figure is not None


# --------------------------------------------------------------------------------------- what if


def cell(stage, layer, part):
    return stage.what_if.table.cell_rect(layer, 1 + tuple(Part).index(part)).center()


def typed(stage, layer, part, text):
    """A person double-clicks a cell, types and goes on."""
    table = stage.what_if.table
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell(stage, layer, part))
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell(stage, layer, part))
    editor = next(line for line in table.findChildren(QLineEdit) if line.isVisible())
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()


def value(stage, layer, column):
    table = stage.what_if.table
    return table.lines[table.row_of(layer)].cells[column].text


def test_a_typed_kernel_moves_all_that_follows(shown):
    """LeNet-5 with kernels of 3 in c1: fields 3 and 4, grids two larger (Dumoulin and Visin 2016, relationship 1)."""
    stage, held, _ = shown(scenes.lenet(), network_view=NetworkView.WHAT_IF)
    typed(stage, "c1", Part.KERNEL, "3")
    assert held.state.network_picture.edits == (("c1", Edit((3, 3))),)
    assert value(stage, "c1", 1) == "5 → 3"
    assert value(stage, "c1", 6) == "5 → 3"
    assert value(stage, "s2", 6) == "6 → 4"
    assert value(stage, "c1", 5) == "92×124 → 94×126"
    assert value(stage, "c1", 8) == "/1"
    assert held.state.layer == "c1"


def test_width_and_height_are_typed_as_sizes_are_written(shown):
    stage, held, _ = shown(scenes.lenet(), network_view=NetworkView.WHAT_IF)
    typed(stage, "c1", Part.KERNEL, "3x7")
    assert held.state.network_picture.edits == (("c1", Edit((7, 3))),)


def test_what_is_no_size_changes_nothing_and_says_so(shown):
    stage, held, _ = shown(scenes.lenet(), network_view=NetworkView.WHAT_IF)
    typed(stage, "c1", Part.STRIDE, "0")
    assert held.state.network_picture.edits == ()
    assert "“0” is no stride: a whole number from 1 to 16,384" in stage.what_if.summary.said()


def test_plus_and_minus_step_and_delete_resets(shown):
    stage, held, _ = shown(scenes.lenet(), network_view=NetworkView.WHAT_IF)
    table = stage.what_if.table
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell(stage, "s2", Part.STRIDE))
    QTest.keyClick(table, Qt.Key.Key_Plus)
    assert held.state.network_picture.edits == (("s2", Edit((2, 2), (3, 3))),)
    QTest.keyClick(table, Qt.Key.Key_Minus)
    assert held.state.network_picture.edits == (), "what it has anyway is no edit"
    QTest.keyClick(table, Qt.Key.Key_Minus)
    QTest.keyClick(table, Qt.Key.Key_Minus)
    assert held.state.network_picture.edits == (("s2", Edit((2, 2), (1, 1))),), "no stride of none"
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert held.state.network_picture.edits == ()


def test_a_figure_begins_a_number_and_is_no_key_of_the_window(bench):
    """1 is the actual size of the image elsewhere."""
    one = bench(State(image=scenes.PAGE, model="lenet5", network_view=NetworkView.WHAT_IF))
    stage = one.window.stages.network
    table = stage.what_if.table
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell(stage, "c1", Part.PADDING))
    QTest.keyClick(table, Qt.Key.Key_1)
    editor = table.findChild(QLineEdit)
    assert editor.text() == "1"
    QTest.keyClick(editor, Qt.Key.Key_Return)
    one.turn()
    assert one.state.network_picture.edits == (("c1", Edit((5, 5), padding=(1, 1))),)


def test_a_padding_by_the_rule_is_called_same_and_said_in_rows_and_columns(shown):
    stage, _, _ = shown(skipped.padded(), network_view=NetworkView.WHAT_IF)
    table = stage.what_if.table
    at = table.indexAt(cell(stage, "stem", Part.PADDING))
    assert [value(stage, layer, 4) for layer in ("stem", "body")] == ["same", "same"]
    assert at.data(Qt.ItemDataRole.ToolTipRole).endswith("rounded up: top 0, bottom 1, left 0, right 1")
    typed(stage, "stem", Part.STRIDE, "1")
    assert [value(stage, layer, 5) for layer in ("stem", "body")] == ["32² → 64²"] * 2
    assert at.data(Qt.ItemDataRole.ToolTipRole).endswith("rounded up: top 1, bottom 1, left 1, right 1")
    typed(stage, "stem", Part.KERNEL, "6")
    assert (value(stage, "stem", 1), value(stage, "stem", 5)) == ("3 → 6", "32² → 64²")
    assert at.data(Qt.ItemDataRole.ToolTipRole).endswith("rounded up: top 2, bottom 3, left 2, right 3")


def test_a_number_replaces_same_zero_is_none_and_same_brings_it_back(shown):
    stage, held, _ = shown(skipped.padded(), network_view=NetworkView.WHAT_IF)
    typed(stage, "stem", Part.PADDING, "0")
    assert held.state.network_picture.edits == (("stem", Edit((3, 3), (2, 2))),)
    assert (value(stage, "stem", 4), value(stage, "stem", 5)) == ("same → 0", "32² → 31²")
    typed(stage, "stem", Part.PADDING, "Same")
    assert held.state.network_picture.edits == ()
    typed(stage, "stem", Part.PADDING, "full")
    assert stage.what_if.summary.text().endswith("or width × height, or “same”")
    typed(stage, "stem", Part.STRIDE, "same")
    assert "“same” is no stride" in stage.what_if.summary.text()


def test_plus_steps_on_from_what_same_puts_in_front(shown):
    stage, held, _ = shown(skipped.padded(), network_view=NetworkView.WHAT_IF)
    table = stage.what_if.table
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell(stage, "stem", Part.PADDING))
    QTest.keyClick(table, Qt.Key.Key_Plus)
    assert held.state.network_picture.edits == (("stem", Edit((3, 3), (2, 2), padding=(1, 1))),)


def test_where_a_number_in_place_of_same_is_refused_same_is_the_remedy(shown):
    stage, _, _ = shown(skipped.padded(), network_view=NetworkView.WHAT_IF)
    typed(stage, "body", Part.PADDING, "0")
    assert stage.what_if.summary.text().endswith("; padding same at body would keep the size")


def test_the_letter_of_same_begins_it_and_is_no_key_of_the_window(bench):
    one = bench(State(image=scenes.PAGE, model="lenet5", network_view=NetworkView.WHAT_IF))
    table = one.window.stages.network.what_if.table
    QTest.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=cell(one.window.stages.network, "c1", Part.PADDING)
    )
    QTest.keyClick(table, Qt.Key.Key_S)
    editor = table.findChild(QLineEdit)
    assert editor.text() == "s"
    QTest.keyClicks(editor, "ame")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    one.turn()
    assert one.state.network_picture.edits == (("c1", Edit((5, 5), padding=PaddingRule.SAME)),)


def test_reset_of_a_layer_and_of_all(shown):
    edits = (("c1", Edit((3, 3))), ("c3", Edit((3, 3))))
    stage, held, _ = shown(
        scenes.lenet(), network_view=NetworkView.WHAT_IF, layer="c1", network_picture=NetworkPicture(edits=edits)
    )
    stage.what_if.reset_one.click()
    assert held.state.network_picture.edits == edits[1:]
    assert not stage.what_if.reset_one.isEnabled()
    stage.what_if.reset_all.click()
    assert held.state.network_picture.edits == ()
    assert not stage.what_if.reset_all.isEnabled()


def test_a_refusal_stands_below_its_row_and_what_lies_behind_is_unknown(shown):
    """The sum in a residual block takes maps of one size: a stride inside the block cannot be."""
    network = skipped.residual(1)
    stage, _, _ = shown(network, network_view=NetworkView.WHAT_IF)
    typed(stage, "body.0.conv1", Part.STRIDE, "2")
    lines = stage.what_if.table.lines
    refused = [at for at, line in enumerate(lines) if len(line.cells) == 1]
    assert len(refused) == 1
    with pytest.raises(SegvizError) as why:
        edited(network, {"body.0.conv1": Edit((3, 3), (2, 2), (1, 1), (1, 1))})
    assert lines[refused[0]].cells[0].text[1:] == str(why.value)[1:]
    assert value(stage, "body.0.conv1", 5) == "64² → 32²", "before it all is known"
    assert value(stage, "fc", 5) == "32² → –"
    assert stage.what_if.summary.said() == f"Change refused: {lines[refused[0]].cells[0].text}"


def test_a_refusal_far_below_is_said_above_with_the_padding_that_helps_and_moves_no_row(shown):
    """A kernel of 5 makes maps two smaller, which do not fit the sum behind it."""
    stage, _, _ = shown(skipped.residual(1), network_view=NetworkView.WHAT_IF)
    stage.resize(700, 220)
    QApplication.processEvents()
    table = stage.what_if.table
    table.verticalScrollBar().setValue(table.rowHeight(0))
    before = cell(stage, "body.0.conv1", Part.KERNEL)
    typed(stage, "body.0.conv1", Part.KERNEL, "5")
    assert cell(stage, "body.0.conv1", Part.KERNEL).y() == before.y()
    row = next(at for at, line in enumerate(table.lines) if len(line.cells) == 1)
    marked = [line.name for line in table.lines if line.cells[0].tone]
    assert marked == [table.lines[row].name] * 2, "its row, and what is refused below it"
    assert stage.what_if.summary.said().endswith("; padding 2 at body.0.conv1 would keep the size")


def test_a_padding_that_would_not_help_is_no_remedy(shown):
    """A window of 400 fits no map of LeNet-5, however the layer before it pads."""
    stage, _, _ = shown(scenes.lenet(), network_view=NetworkView.WHAT_IF)
    typed(stage, "c1", Part.KERNEL, "7")
    typed(stage, "c3", Part.KERNEL, "400")
    said = stage.what_if.summary.said()
    assert said.startswith("Change refused")
    assert "would keep the size" not in said


def test_the_refusal_of_a_blocks_sum_stands_below_the_last_row_before_it():
    """The sum is the block's own, which has no row; the strided convolution has one, far above it."""
    network = skipped.residual(3)
    found = outcome(network, Folding(network), {"body.1.conv1": Edit((3, 3), (2, 2), padding=(1, 1))})
    assert found.at == "body.1"
    refused = next(row for row in found.rows if row.refusal)
    assert refused.name == "body.1.conv2"
    assert refused.refusal == found.refusal


def test_names_are_cut_at_dots_and_told_apart():
    names = ["backbone.stem", "b.0.conv1", "b.10.conv1", "b.10.conv2", "score_pool4", "upscore_pool4"]
    assert distinct(names) == [
        "backbone.stem", "…0.conv1", "…10.conv1", "…10.conv2", "score_pool4", "upscore_pool4",
    ]  # fmt: skip


def test_the_picture_follows_the_edits_and_marks_them(shown):
    stage, held, _ = shown(scenes.lenet())
    before = stage.board.figure
    held.update(network_picture=NetworkPicture(edits=(("s2", Edit((2, 2), (1, 1))),)))
    after = stage.board.figure
    assert after.remarks == {2: "stride 2 → 1"}
    assert after.plan.solids[3].height > before.plan.solids[3].height, "c3 has a larger grid"
    assert after.plan.solids[1] == before.plan.solids[1], "c1 is what it was, at the same scale"
    assert "1 change: field 32 → 19" in stage.what.text()


def test_the_table_leaves_with_what_is_and_what_would_be(shown):
    edits = (("c1", Edit((3, 3))),)
    stage, _, kept = shown(
        scenes.lenet(), network_view=NetworkView.WHAT_IF, network_picture=NetworkPicture(edits=edits)
    )
    stage.copy.click()
    head, first, *rest = kept.tables[0]
    assert first[head.index("layer")] == "c1"
    assert (first[head.index("field")], first[head.index("field then")]) == ("5", "3")
    assert first[head.index("kernel")] == "3"
    assert len(rest) == 6


def test_edits_of_layers_that_there_are_not_are_left_out():
    network = scenes.lenet()
    found = outcome(network, Folding(network), {"c1": Edit((5, 5))})
    assert found.edits == {}
    assert found.network is network
    assert not any(row.edited for row in found.rows)


def test_no_field_of_the_table_differs_from_the_network_without_edits():
    network = skipped.unet()
    rows = outcome(network, Folding(network), {}).rows
    assert [row.name for row in rows] == ["down0", "pool0", "down1", "squeeze", "up0", "join0", "output"]
    for row in rows:
        assert not any(value.moved for value in (row.output, row.grid, row.stride, row.field, row.macs))


@pytest.mark.parametrize(
    ("text", "part", "pair"),
    [
        ("3", Part.KERNEL, (3, 3)), ("3×5", Part.KERNEL, (5, 3)), ("3 5", Part.STRIDE, (5, 3)),
        ("0", Part.PADDING, (0, 0)), ("0", Part.KERNEL, None), ("-1", Part.KERNEL, None),
         ("1.5", Part.STRIDE, None), ("", Part.STRIDE, None),
        ("1 2 3", Part.STRIDE, None), ("three", Part.KERNEL, None), ("99999", Part.KERNEL, None),
    ],
)  # fmt: skip
def test_what_a_person_types(text, part, pair):
    assert read_size(text, part) == pair


def test_a_pinned_unit_that_an_edit_takes_away_lights_nothing(shown):
    network = scenes.lenet()
    stage, held, _ = shown(network, layer="c1", unit=Unit(0, 90, 120))
    assert stage.board.figure.lit
    held.update(network_picture=NetworkPicture(edits=(("c1", Edit((5, 5), (2, 2))),)))
    assert stage.board.figure.lit == {}
    assert stage.board.figure.unit == ""
    assert replace(network) == network


def test_the_zoom_in_the_status_bar_is_that_of_what_is_in_front(bench):
    """The table of what if has none, whatever the picture or the image behind it do."""
    one = bench()
    told = one.window.statusBar().zoom
    of_image = told.text()
    QTest.keyClick(one.window, Qt.Key.Key_N)
    one.turn()
    stage = one.window.stages.network
    of_picture = told.text()
    assert of_picture == zoom_text(stage.board.projection.zoom) != of_image
    stage.choice.changed.emit(NetworkView.WHAT_IF)
    one.turn()
    assert told.text() == ""
    one.window.canvas.fit()  # behind it
    stage.board.fit()
    assert told.text() == ""
    stage.choice.changed.emit(NetworkView.PICTURE)
    one.turn()
    assert told.text() == zoom_text(stage.board.projection.zoom)
    QTest.keyClick(one.window, Qt.Key.Key_N)
    one.turn()
    assert told.text() == zoom_text(one.window.canvas.view.projection.zoom)


def test_what_differs_is_written_clear_of_the_counts_of_folded_blocks(shown):
    """'stride 2 → 1' is wider than its volume and would lie under the '×2' beside it."""
    wide = "stride 2 → 1, padding 1 → 0"
    folded = NetworkPicture(frozenset({"blocks.0", "blocks.1", "blocks.2"}))
    stage, _, _ = shown(scenes.deep(), network_picture=folded)
    figure = stage.board.figure
    places = [at for at, item in enumerate(figure.plan.scheme.items) if isinstance(item, Volume)]
    image = QImage(900, 500, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing = NetworkPainter(
        painter, replace(figure, remarks=dict.fromkeys(places[:4], wide)), stage.board.projection,
        QRectF(image.rect()), theme.tokens(),
    )  # fmt: skip
    drawing.paint()
    painter.end()
    assert drawing.counts
    assert len(drawing.remarks) == 4
    for at, remark in enumerate(drawing.remarks):
        assert not any(remark.intersects(count) for count in drawing.counts.values())
        assert not any(remark.intersects(other) for other in drawing.remarks[:at])


# ------------------------------------------------------------------------------- the table's width


@pytest.mark.parametrize("kernel", [3, 9999], ids=["followed", "refused"])
def test_a_narrow_table_leaves_out_what_was_and_never_scrolls_sideways(shown, kernel):
    """FCN-8s has 720 pixels in a window of 1280, as this network 620: the last column was half out of view."""
    network = skipped.unet()
    edits = tuple((layer, Edit((kernel, kernel), padding=(1, 1))) for layer in ("down0", "down1"))
    stage, _, _ = shown(network, network_view=NetworkView.WHAT_IF, network_picture=NetworkPicture(edits=edits))
    table = stage.what_if.table
    head = table.horizontalHeader()
    for width in (620, 1400, 620):
        stage.resize(width, 480)
        QApplication.processEvents()
        assert table.horizontalScrollBar().maximum() == 0, f"{width} wide"
        metrics = QFontMetrics(theme.numbers())
        for line in (line for line in table.lines if len(line.cells) > 1):
            for column, one in enumerate(line.cells[1:], 1):
                room = head.sectionSize(column) - 2 * theme.px(theme.S)
                text = one.text if width == 1400 else one.value
                assert metrics.horizontalAdvance(text) <= room, f"{line.name}: {text} at {width}"


def test_what_has_no_room_is_in_the_tooltip_with_the_layers_whole_name(shown):
    stage, _, _ = shown(scenes.lenet(), network_view=NetworkView.WHAT_IF)
    typed(stage, "c1", Part.KERNEL, "3")
    table = stage.what_if.table
    model, row = table.model(), table.row_of("s2")
    field, grid = (model.index(row, at).data(Qt.ItemDataRole.ToolTipRole) for at in (6, 5))
    assert field.endswith("Field: 6 → 4")
    assert grid.endswith("Grid: 46×62 → 47×63")
    assert field.startswith("s2  (")
    assert "Output stride" not in model.index(row, 8).data(Qt.ItemDataRole.ToolTipRole), "nothing has moved there"


def test_columns_give_what_they_can_spare_the_one_with_most_first():
    assert shrunk([100, 80, 60], [60, 80, 40], 300) == [100, 80, 60]
    assert shrunk([100, 80, 60], [60, 80, 40], 210) == [70, 80, 60]
    assert shrunk([100, 80, 60], [60, 80, 40], 190) == [60, 80, 50]
    assert shrunk([100, 80, 60], [60, 80, 40], 90) == [60, 80, 40], "no less than the new values need"

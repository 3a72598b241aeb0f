"""The panel of scores, with real mouse and keys: what it says, what a cell of the matrix does, what leaves it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segviz.core.refinement import Refinement
from segviz.core.session import State
from segviz.gui import score_words
from segviz.gui.panels.scores import BOUND, ScoresPanel
from segviz.gui.scene import Scene
from tests.gui import scenes

SIZE = (1390, 190)


@pytest.fixture
def scored(shown):
    return shown(ScoresPanel, scenes.scored(), SIZE)


def middle(one, row: int, column: int) -> QPoint:
    return one.panel.matrix.place((row, column)).center().toPoint()


def test_without_ground_truth_it_says_how_to_give_it(shown):
    one = shown(ScoresPanel, Scene(State(image=scenes.PAGE), picture=scenes.picture()), SIZE)
    assert one.panel.open.isVisible()
    assert "NAME_mask.png" in one.panel.rule.text()
    QTest.mouseClick(one.panel.open, Qt.MouseButton.LeftButton)
    assert one.commands.asked == [("do", ("open-truth",))]
    one.show(Scene(State()))
    assert not one.panel.open.isVisible(), "a mask is of an image"


def test_the_four_scores_and_every_class_are_those_of_the_agreement(scored):
    found = scored.scene.agreement
    assert scored.panel.figures["mean_iou"].text == f"{found.scores.mean_iou:.3f}"
    assert scored.panel.figures["pixel_accuracy"].text == f"{found.scores.pixel_accuracy:.3f}"
    table = scored.panel.table
    assert [table.item(row, 0).text() for row in range(table.rowCount())] == list(found.confusion.names)
    assert table.item(0, 3).text() == f"{found.scores.per_class[0].iou:.3f}"
    assert "11,264 of 12,288 pixels count" in scored.panel.what.text()


def test_a_click_on_a_heading_sorts_by_numbers_and_not_by_their_letters(scored):
    table, head = scored.panel.table, scored.panel.table.horizontalHeader()
    for _ in range(2):
        x = head.sectionViewportPosition(1) + head.sectionSize(1) // 2
        QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, head.height() // 2))
    shown = [int(table.item(row, 1).text().replace(",", "")) for row in range(table.rowCount())]
    assert shown in (sorted(shown), sorted(shown, reverse=True))
    assert len({len(str(number)) for number in shown}) > 1, "or letters would do as well"


def test_a_click_on_a_cell_shows_its_pixels_and_another_takes_them_off(scored):
    found = scored.scene.agreement
    QTest.mouseClick(scored.panel.matrix, Qt.MouseButton.LeftButton, pos=middle(scored, 0, 3))
    assert scored.state.cell == (found.confusion.classes[0], found.confusion.classes[3])
    QTest.mouseClick(scored.panel.matrix, Qt.MouseButton.LeftButton, pos=middle(scored, 0, 3))
    assert scored.state.cell is None


def test_the_mouse_over_a_cell_tells_its_numbers(scored):
    found = scored.scene.agreement
    QTest.mouseMove(scored.panel.matrix, middle(scored, 0, 3))
    pixels = int(found.confusion.counts[0, 3])
    assert f"0 labelled 3: {pixels:,} pixels" in scored.panel.hint.text()
    QTest.mouseMove(scored.panel.matrix, middle(scored, 1, 1))
    assert "1 found:" in scored.panel.hint.text()


def test_arrow_keys_and_return_do_what_the_mouse_does(scored):
    matrix = scored.panel.matrix
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(matrix, key)
    assert matrix.mark == (1, 1)
    QTest.keyClick(matrix, Qt.Key.Key_Return)
    assert scored.state.cell == score_words.cell_of(scored.scene.agreement, 1, 1)
    for _ in range(20):
        QTest.keyClick(matrix, Qt.Key.Key_Left)
    assert matrix.mark == (1, 0), "it stays inside"


def test_the_pixel_under_the_mouse_marks_its_cell(scored):
    found = scored.scene.agreement
    y, x = (int(at[0]) for at in np.nonzero((found.truth == 0) & (found.prediction.labels == 3)))
    scored.panel.hover((float(x), float(y)))
    assert scored.panel.matrix.mark == (0, 3)
    scored.panel.hover((0.0, 0.0))
    assert scored.panel.matrix.mark is None, "nobody knows what is there"


def test_errors_are_switched_on_and_off(scored):
    QTest.mouseClick(scored.panel.errors, Qt.MouseButton.LeftButton)
    assert scored.state.errors
    assert scored.panel.errors.isChecked()
    QTest.mouseClick(scored.panel.errors, Qt.MouseButton.LeftButton)
    assert not scored.state.errors


def test_both_plots_say_their_numbers(scored):
    found, plot = scored.scene.agreement, scored.panel.plot
    assert plot.isVisible()
    assert f"1: {found.bands[0].mean_iou:.3f}" in plot.accessibleDescription()
    QTest.mouseClick(scored.panel.choice.button(BOUND), Qt.MouseButton.LeftButton)
    assert f"128: {found.bounds[-1].mean_iou:.3f}" in plot.accessibleDescription()
    assert f"this network {found.scores.mean_iou:.3f}" in plot.accessibleDescription()


def test_classes_that_do_not_match_are_said(shown):
    one = shown(ScoresPanel, scenes.scored(names=(*"012345678", "blot"), shift=0), SIZE)
    assert "no class blot" in one.panel.remarks.text()


def test_large_tables_have_the_place_of_the_image_and_what_is_remarked_stands_whole(shown):
    one = shown(ScoresPanel, scenes.scored(names=(*"012345678", "blot"), shift=0), SIZE)
    low = one.panel.matrix.grid().height()
    QTest.mouseClick(one.panel.large, Qt.MouseButton.LeftButton)
    assert one.state.scores_large
    assert one.panel.wants_stage(one.scene)
    assert not one.panel.wants_stage(replace(one.scene, state=replace(one.state, tab="race")))
    one.panel.stage.resize(720, 480)
    one.panel.stage.show()
    QApplication.processEvents()
    assert one.panel.stage.isAncestorOf(one.panel.table)
    assert one.panel.matrix.grid().height() > 2 * low
    words = one.panel._content.words
    assert words.isVisibleTo(one.panel.widget)
    assert [len(words.said()) > 80, "no class blot" in words.said(), "no class 9" in words.said()] == [True] * 3
    assert words.heightForWidth(words.width()) <= words.height(), "no line is cut off"
    QTest.mouseClick(one.panel.matrix, Qt.MouseButton.LeftButton, pos=middle(one, 2, 2))
    assert (one.state.cell, one.state.scores_large) == ((2, 2), False), "its pixels are on the image"
    assert one.panel.widget.isAncestorOf(one.panel.table)
    assert not words.isVisibleTo(one.panel.widget)


def test_large_tables_stand_one_above_the_other_where_it_is_narrow(shown):
    one = shown(ScoresPanel, scenes.scored(scores_large=True), SIZE)
    for width, above in ((720, False), (440, True)):
        one.panel.stage.resize(width, 420)
        one.panel.stage.show()
        QApplication.processEvents()
        table, matrix = one.panel.table.geometry(), one.panel.matrix.geometry()
        assert (matrix.bottom() < table.top()) is above
        assert (matrix.left() > table.right()) is not above


def test_why_nothing_can_be_scored_stands_there(shown):
    scene = replace(scenes.scored(), agreement=None, unscored="page_mask.png: the ground truth has the label 20")
    one = shown(ScoresPanel, scene, SIZE)
    assert "label 20" in one.panel.note.text()
    assert one.panel.open.isVisible()


def test_of_many_classes_the_matrix_shows_those_with_most_pixels():
    labels = np.repeat(np.arange(60), 40)[None].astype(np.uint16)
    labels[0, :200] = 7
    prediction = replace(scenes.deep_full().prediction, labels=labels, region=scenes.Box(0, 0, labels.shape[1], 1))
    found = scenes.agree(scenes.Mask(scenes.TRUTH, labels.astype(np.int32)), prediction)
    table = score_words.matrix(found)
    assert table.size == score_words.MOST
    assert any(name.startswith("class 7") for name in table.names)
    assert score_words.place_of(found, (59, 59)) is None
    assert score_words.cell_of(found, *score_words.place_of(found, (7, 7))) == (7, 7)
    assert "the 40 of 55 classes" in score_words.matrix_hint(found)


def test_tables_and_drawings_leave(scored):
    scored.panel.copy.click()
    ((name, (rows,)),) = scored.commands.asked
    assert name == "copy_table"
    found = scored.scene.agreement
    assert ["mean_iou", found.scores.mean_iou] in rows
    assert rows[1][:3] == [0, "0", found.scores.per_class[0].pixels]
    for action in scored.panel.save.menu().actions():
        if not action.isSeparator():
            action.trigger()
    assert scored.commands.names()[1:] == [
        "save_table", "save_table", "save_image", "save_with", "save_with", "copy_image"
    ]  # fmt: skip
    confusion = scored.commands.asked[2][1][0]
    assert [row[1:] for row in confusion[1:]] == found.confusion.counts.tolist()
    assert b"<svg" in scored.panel.matrix.svg()
    assert b"<svg" in scored.panel.plot.svg()


def test_scores_of_refined_labels_say_so(scored):
    found = scored.scene.agreement
    assert "refined" not in score_words.heading(found)
    refined = replace(found.prediction.request, refinement=Refinement(40, 20, 5))
    said = score_words.heading(replace(found, prediction=replace(found.prediction, request=refined)))
    assert said.startswith("LeNet-5, refined at edges · ")

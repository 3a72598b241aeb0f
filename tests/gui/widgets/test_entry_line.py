"""Lines whose text counts once it is entered, and labels that wrap everywhere."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from segviz.gui.widgets.entry_line import EntryLine
from segviz.gui.widgets.wrapped import BREAK, WrappedLabel, breakable

pytestmark = pytest.mark.usefixtures("look")


@pytest.fixture
def line(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    line, other = EntryLine("Mean", "Taken off"), QLineEdit()
    layout = QVBoxLayout(window)
    layout.addWidget(line)
    layout.addWidget(other)
    line.show_value("127")
    line.heard = []
    line.entered.connect(line.heard.append)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    line.setFocus()
    yield line
    window.close()


def type_over(qtbot, line, text: str) -> None:
    line.selectAll()
    qtbot.keyClicks(line, text)


def test_return_and_leaving_enter_what_is_new(qtbot, line):
    type_over(qtbot, line, "3")
    assert line.heard == []
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert line.heard == ["3"]
    line.show_value("3")
    type_over(qtbot, line, "4")
    line.parentWidget().findChildren(QLineEdit)[-1].setFocus()
    assert line.heard == ["3", "4"]


def test_what_stands_there_already_is_not_entered(qtbot, line):
    qtbot.keyClick(line, Qt.Key.Key_Return)
    type_over(qtbot, line, "127")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert line.heard == []


def test_escape_takes_back_and_is_the_windows_where_nothing_was_typed(qtbot, line):
    type_over(qtbot, line, "abc")
    line.refuse()
    qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert (line.text(), line.property("kind")) == ("127", "")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert line.heard == []


def test_a_value_that_comes_does_not_take_the_text_from_under_the_fingers(qtbot, line):
    type_over(qtbot, line, "12")
    line.show_value("127")
    assert line.text() == "12"
    line.show_value("300")  # but what was entered elsewhere is shown
    assert line.text() == "300"


def test_a_refused_text_is_marked_until_it_is_changed(qtbot, line):
    mended = []
    line.mended.connect(lambda: mended.append(line.text()))
    type_over(qtbot, line, "abc")
    line.refuse()
    assert line.property("kind") == "refused"
    qtbot.keyClicks(line, "d")
    assert (line.property("kind"), mended) == ("", ["abcd"])


def test_the_button_brings_back_by_mouse_and_keys(qtbot, line):
    asked = []
    line.reset.connect(lambda: asked.append(1))
    assert line.back.isHidden()
    line.mark_changed(True)
    qtbot.mouseClick(line.back, Qt.MouseButton.LeftButton)
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_Tab)
    assert line.back.hasFocus()
    qtbot.keyClick(line.back, Qt.Key.Key_Space)
    assert asked == [1, 1]


@pytest.mark.parametrize("text", ["resnet50_finetuned_on_flowers", "backbone.layer4.2.bn3.weight", "x" * 60, "a b"])
def test_every_word_can_be_broken(text):
    assert breakable(text).replace(BREAK, "") == text
    assert max(map(len, breakable(text).replace(BREAK, " ").split(" "))) <= 14


def test_a_label_of_one_long_name_is_no_wider_than_a_few_letters(qtbot):
    label = WrappedLabel("module.backbone.layer4.2.downsample.1.running_mean" * 3)
    qtbot.addWidget(label)
    assert label.minimumSizeHint().width() <= QFontMetrics(label.font()).horizontalAdvance("m" * 14)
    assert label.heightForWidth(150) >= 3 * QFontMetrics(label.font()).height()
    assert label.accessibleName() == label.said()

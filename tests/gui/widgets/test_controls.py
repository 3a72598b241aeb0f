"""Pills, segments, sliders, bars, clocks, glyphs: what they say, what they emit, and when they are silent."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage, Qt, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from segviz.core.choices import Theme
from segviz.gui import theme
from segviz.gui.widgets.bars import Bar, BarRows
from segviz.gui.widgets.clock import Clock, clock_time
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.painted import elided
from segviz.gui.widgets.pill import Pill
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.slider import LabelledSlider
from segviz.gui.widgets.swatches import Swatches
from segviz.gui.widgets.volumes import volume_size

pytestmark = pytest.mark.usefixtures("look")
LONG = "American Staffordshire terrier, Staffordshire terrier, American pit bull terrier, pit bull terrier"


def shown(qtbot, widget: QWidget, width: int = 0, height: int = 0) -> QImage:
    qtbot.addWidget(widget)
    widget.resize(width or widget.sizeHint().width(), height or widget.sizeHint().height())
    widget.show()
    qtbot.waitExposed(widget)
    return widget.grab().toImage()


# -------------------------------------------------------------------------------------------- bars


def test_bars_are_as_long_as_their_fractions(qtbot) -> None:
    rows = BarRows()
    rows.set_bars([Bar("a", 1.0, "1.00"), Bar("b", 0.5, "0.50"), Bar("c", 0.0, "0.00")])
    image = shown(qtbot, rows, 260)
    lengths = []
    for row in range(3):
        y = row * 22 + 11
        lengths.append(sum(image.pixelColor(x, y).name() == theme.DARK.accent for x in range(260)))
    assert lengths[1] == pytest.approx(lengths[0] / 2, abs=2)
    assert lengths[2] <= 1


def test_a_bar_has_its_own_colour(qtbot) -> None:
    rows = BarRows()
    rows.set_bars([Bar("a", 1.0, "1.00", colour="#e69f00")])
    image = shown(qtbot, rows, 260)
    assert "#e69f00" in {image.pixelColor(x, 11).name() for x in range(260)}


def test_bars_are_clicked_by_mouse_and_keys(qtbot) -> None:
    rows = BarRows()
    rows.set_bars([Bar("a", 0.7, "0.70", key=31), Bar("b", 0.2, "0.20", key=8)])
    shown(qtbot, rows, 260)
    heard = []
    rows.clicked.connect(heard.append)
    qtbot.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPoint(30, 33))
    rows.activateWindow()
    rows.setFocus()
    qtbot.waitUntil(rows.hasFocus)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Up, Qt.Key.Key_Space):
        qtbot.keyClick(rows, key)
    qtbot.mouseClick(rows, Qt.MouseButton.LeftButton, pos=QPoint(30, 80))  # no row there
    assert heard == [8, 8, 31]


def test_live_bars_keep_their_height(qtbot) -> None:
    rows = BarRows(5)
    qtbot.addWidget(rows)
    full = rows.sizeHint().height()
    rows.set_bars([Bar("a", 0.7, "0.70")])
    assert rows.sizeHint().height() == full
    assert rows.accessibleDescription() == "a 0.70"


# ------------------------------------------------------------------------------------------ sliders


def test_a_slider_is_silent_until_it_is_moved(qtbot) -> None:
    slider = LabelledSlider("Opacity")
    shown(qtbot, slider, 220)
    heard = []
    slider.moved.connect(heard.append)
    slider.set_value(0.55)
    assert heard == []
    assert (slider.value, slider._number.text) == (0.55, "55 %")
    slider.slider.setFocus()
    qtbot.keyClick(slider.slider, Qt.Key.Key_Right)
    assert heard == [0.56]


def test_a_slider_writes_in_its_own_words(qtbot) -> None:
    slider = LabelledSlider("Scale", low=0.25, high=2.0, steps=7, write=lambda v: f"{v:.2f} ×")
    qtbot.addWidget(slider)
    slider.set_value(1.0)
    assert slider._number.text == "1.00 ×"
    assert slider.slider.toolTip() == "Scale: 1.00 ×"
    assert slider.slider.accessibleName() == "Scale"


# ----------------------------------------------------------------------------------------- segments


def segments() -> Segmented:
    return Segmented([(Theme.DARK, "Dark", "dark"), (Theme.LIGHT, "Light", "light")], "Theme")


def test_segments_emit_what_was_chosen(qtbot) -> None:
    row = segments()
    shown(qtbot, row)
    with qtbot.waitSignal(row.changed) as caught:
        qtbot.mouseClick(row.button(Theme.LIGHT), Qt.MouseButton.LeftButton)
    assert caught.args == [Theme.LIGHT]
    assert row.value is Theme.LIGHT


def test_segments_are_silent_when_set(qtbot) -> None:
    row = segments()
    qtbot.addWidget(row)
    with qtbot.assertNotEmitted(row.changed):
        row.set_value(Theme.LIGHT)
    assert row.button(Theme.LIGHT).isChecked()
    assert not row.button(Theme.DARK).isChecked()


def test_focus_is_seen(qtbot) -> None:
    row = segments()
    plain = shown(qtbot, row)
    row.activateWindow()
    row.button(Theme.DARK).setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(row.button(Theme.DARK).hasFocus)
    image = row.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert image != plain
    assert theme.DARK.accent in colours


# ------------------------------------------------------------------------------------ words and names


def read(tooltip: str) -> str:
    """What a person sees of a tooltip."""
    if not Qt.mightBeRichText(tooltip):
        return tooltip
    document = QTextDocument()
    document.setHtml(tooltip)
    return document.toPlainText()


@pytest.mark.parametrize(
    "name", ["<b>bold</b>.png", "a<br>b  c.png", "&lt;x&gt;.png", "<img src='x.png'>", "x < y & z.png"]
)
def test_the_name_of_a_file_is_no_markup(qtbot, name: str) -> None:
    pill = Pill("Image")
    pill.set_value(name, f"/pictures/{name}")
    assert read(pill.toolTip()) == f"Image: {name}\n/pictures/{name}"
    label = ElidedLabel()
    label.resize(40, 20)
    label.setText(name * 9)
    assert read(label.toolTip()) == name * 9


def test_a_pill_shows_and_says_its_value(qtbot) -> None:
    pill = Pill("Network")
    pill.set_value("EfficientNet-Lite0", "4.65 M parameters")
    first = shown(qtbot, pill)
    assert pill.accessibleName() == "Network: EfficientNet-Lite0"
    assert pill.toolTip() == "Network: EfficientNet-Lite0\n4.65 M parameters"
    pill.set_value("LeNet-5")
    assert pill.grab().toImage() != first


def test_a_pill_does_not_grow_with_a_long_name(qtbot) -> None:
    pill = Pill("Image")
    qtbot.addWidget(pill)
    pill.set_value(LONG)
    assert pill.sizeHint().width() < 320
    assert LONG in pill.toolTip()


def test_a_label_leaves_out_its_middle(qtbot) -> None:
    label = ElidedLabel(LONG)
    shown(qtbot, label, 180)
    assert label.text() == LONG
    assert label.toolTip() == LONG
    assert label.shown_text().startswith("American")
    assert label.shown_text().endswith("terrier")
    label.resize(1200, 20)
    assert label.shown_text() == LONG
    assert label.toolTip() == ""


def test_a_label_leaves_out_its_last_parts_before_it_cuts_any(qtbot) -> None:
    """A caption of several facts says fewer of them, each whole, where there is no room for all."""
    parts = ("output", "7 maps", "384 × 480", "input padded to 384 × 480, multiples of 32")
    label = ElidedLabel(" · ".join(parts))
    seen = set()
    shown(qtbot, label, 600)
    for width in range(600, 60, -20):
        label.resize(width, 20)
        text = label.shown_text()
        seen.add(text)
        assert text in [" · ".join(parts[:count]) for count in range(1, 5)]
        assert (label.toolTip() == "") is (text == label.text())
    assert len(seen) == 4
    label.resize(20, 20)
    assert "…" in label.shown_text()


def test_a_label_shows_markup_as_it_is(qtbot) -> None:
    label = ElidedLabel("<b>x</b>")
    qtbot.addWidget(label)
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_a_long_label_does_not_widen_its_window(qtbot) -> None:
    frame = QWidget()
    row = QHBoxLayout(frame)
    row.addWidget(ElidedLabel(LONG * 5))
    row.addWidget(QLabel("x"))
    qtbot.addWidget(frame)
    assert frame.minimumSizeHint().width() < 200


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ("–", "")),
        (0.0423, ("0.042", "s")),
        (12.345, ("12.3", "s")),
        (245.9, ("4:05", "min")),
        (7325.0, ("2:02", "h")),
    ],
)
def test_clocks_read_easily(seconds: float | None, expected: tuple[str, str]) -> None:
    assert clock_time(seconds) == expected


def test_a_clock_stands_still(qtbot) -> None:
    clock = Clock("Sliding window")
    qtbot.addWidget(clock)
    clock.set_seconds(1.111)
    width = clock.sizeHint().width()
    clock.set_seconds(8.888)
    assert clock.sizeHint().width() == width
    assert clock.accessibleName() == "Sliding window: 8.888 s"


def test_a_volume_shrinks_and_widens_through_a_network() -> None:
    sizes = [volume_size(c, s, 1024) for c, s in ((3, 1024), (32, 512), (112, 64), (1280, 32), (4096, 1))]
    assert sizes[0][1] == 1.0
    assert sizes == sorted(sizes, key=lambda size: (-size[1], size[0]))
    assert all(0 <= side <= 1 for size in sizes for side in size)
    assert sizes[3][0] == pytest.approx(1.0)


def test_a_colour_bar_shows_its_ends(qtbot) -> None:
    bar = ColourBar()
    bar.set_colours([0xFF0000, 0x00FF00, 0x0000FF])
    bar.set_title("castle")
    image = shown(qtbot, bar)
    y = image.height() // 2
    colours = [image.pixelColor(x, y) for x in range(image.width())]
    red = next(x for x, c in enumerate(colours) if c == QColor("#ff0000"))
    blue = max(x for x, c in enumerate(colours) if c == QColor("#0000ff"))
    assert red < blue
    assert bar.accessibleName() == "castle: colours from 0 to 1"


def test_swatches_show_as_many_as_fit(qtbot) -> None:
    row = Swatches()
    row.set_entries([("castle", "#ff0000"), ("palace", "#00ff00"), (LONG, "#0000ff")])

    def seen(width: int) -> set[str]:
        row.resize(width, 28)
        image = row.grab().toImage()
        names = {image.pixelColor(x, 14).name() for x in range(width)}
        return names & {"#ff0000", "#00ff00", "#0000ff"}

    qtbot.addWidget(row)
    assert seen(400) == {"#ff0000", "#00ff00", "#0000ff"}
    assert seen(90) == {"#ff0000"}
    assert LONG in row.toolTip()


def test_a_colour_bar_has_room_for_its_title(qtbot) -> None:
    bar = ColourBar()
    qtbot.addWidget(bar)
    for title in ("“6”", "probability", "castle"):
        bar.set_title(title)
        bar.resize(bar.sizeHint())
        own = bar.grab().toImage()
        bar.resize(bar.width() + 100, bar.height())
        wide = bar.grab().toImage()
        assert own == wide.copy(100, 0, own.width(), own.height())


def test_a_title_that_is_cut_keeps_what_is_behind_it(qtbot) -> None:
    bar = ColourBar()
    qtbot.addWidget(bar)
    bar.set_title(LONG, ": at most 0.01")
    bar.resize(240, 28)
    image = bar.grab().toImage()
    bar.set_title(LONG, ": at most 0.99")
    assert bar.grab().toImage() != image
    assert bar.toolTip().startswith(f"{LONG}: at most 0.99: colours")


def test_a_pill_keeps_its_place_whatever_its_value(qtbot) -> None:
    pill = Pill("Image", longest=100)
    qtbot.addWidget(pill)
    pill.reserve("m" * 100)
    pill.set_value("a.png")
    short = pill.sizeHint()
    pill.set_value(LONG)
    assert pill.sizeHint() == short


def test_names_get_the_room_that_short_bars_leave(qtbot) -> None:
    rows = BarRows()
    qtbot.addWidget(rows)
    rows.resize(240, 120)
    rows.set_bars([Bar("indigo bunting", 0.02, "0.02")])
    names, _ = rows._columns()
    assert elided("indigo bunting", theme.body(), names) == "indigo bunting"


def test_a_colour_bar_names_the_class_before_it_names_its_maximum(qtbot) -> None:
    bar = ColourBar()
    qtbot.addWidget(bar)
    bar.set_title("a class whose name goes on and on", ": at most 0.20")
    assert bar.words_in(400) == "a class whose name goes on and on: at most 0.20"
    assert bar.words_in(150).endswith(": at most 0.20")
    narrow = bar.words_in(90)
    assert "at most" not in narrow
    assert narrow.startswith("a")
    assert bar.words_in(20) == ""

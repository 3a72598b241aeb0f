from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton

from segviz.core.choices import Theme
from segviz.gui import theme
from segviz.gui.stylesheet import style_sheet

pytestmark = pytest.mark.usefixtures("look")


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.1."""
    q = QColor(colour)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (q.redF(), q.greenF(), q.blueF())]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("tokens", theme.ALL, ids=lambda t: t.name)
@pytest.mark.parametrize("surface", ["window", "panel", "raised"])
@pytest.mark.parametrize("ink", ["text", "dim", "accent", "ok", "warn", "bad"])
def test_text_reads_on_every_surface(tokens: theme.Tokens, surface: str, ink: str) -> None:
    colours = asdict(tokens)
    assert contrast(colours[ink], colours[surface]) >= 4.5


@pytest.mark.parametrize("tokens", theme.ALL, ids=lambda t: t.name)
def test_text_reads_around_the_image(tokens: theme.Tokens) -> None:
    assert min(contrast(tokens.text, tokens.surround), contrast(tokens.dim, tokens.surround)) >= 4.5


@pytest.mark.parametrize("tokens", theme.ALL, ids=lambda t: t.name)
def test_text_reads_on_the_accent(tokens: theme.Tokens) -> None:
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


@pytest.mark.parametrize("tokens", theme.ALL, ids=lambda t: t.name)
def test_a_palette_tells_its_tokens(tokens: theme.Tokens) -> None:
    assert theme.tokens(theme.palette_of(tokens)) is tokens


def test_a_foreign_palette_is_taken_as_dark_or_light() -> None:
    palette = QPalette()
    for window, expected in (("#202020", theme.DARK), ("#fafafa", theme.LIGHT)):
        palette.setColor(QPalette.ColorRole.Window, QColor(window))
        palette.setColor(QPalette.ColorRole.Shadow, QColor("#123456"))
        assert theme.tokens(palette) is expected


@pytest.mark.parametrize("tokens", theme.ALL, ids=lambda t: t.name)
def test_the_style_sheet_has_no_holes(tokens: theme.Tokens) -> None:
    assert "@" not in style_sheet(asdict(tokens))


def test_the_style_sheet_grows_in_presenter_mode() -> None:
    sizes = [re.search(r'role="numbers"\] { font-size: (\d+)px', style_sheet(asdict(theme.DARK), f)) for f in (1, 1.8)]
    assert [int(found[1]) for found in sizes if found] == [20, 36]


def test_themes_switch_live(qapp: QApplication, qtbot) -> None:
    label = QLabel("x")
    qtbot.addWidget(label)
    look = theme.apply(qapp, Theme.DARK)
    assert theme.tokens(label.palette()) is theme.DARK
    with qtbot.waitSignal(look.changed):
        assert theme.apply(qapp, Theme.LIGHT) is look
    assert theme.tokens(label.palette()) is theme.LIGHT
    assert qapp.font().pixelSize() == theme.BODY


def test_system_follows_the_system(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    look = theme.apply(qapp, Theme.SYSTEM)
    monkeypatch.setattr(theme, "wanted", lambda chosen, app: theme.LIGHT_CONTRAST)
    qapp.styleHints().colorSchemeChanged.emit(qapp.styleHints().colorScheme())
    assert theme.tokens() is theme.LIGHT_CONTRAST
    monkeypatch.undo()
    look.set_theme(Theme.DARK)
    qapp.styleHints().colorSchemeChanged.emit(qapp.styleHints().colorScheme())
    assert theme.tokens() is theme.DARK


def test_presenter_mode_enlarges_type(qapp: QApplication) -> None:
    look = theme.apply(qapp, Theme.DARK)
    look.set_factor(theme.PRESENTER)
    assert theme.caption().pixelSize() == round(11 * 1.8)
    assert theme.px(theme.CONTROL) == 50
    look.set_factor(1.0)
    assert theme.title().pixelSize() == 15


def test_figures_have_one_width(qapp: QApplication) -> None:
    metrics = QFontMetricsF(theme.numbers(theme.NUMBERS))
    assert len({round(metrics.horizontalAdvance(figure), 3) for figure in "0123456789"}) == 1


def ink(button: QToolButton | QPushButton) -> set[str]:
    """The opaque colours of a button's icon."""
    image = button.icon().pixmap(theme.ICON, theme.ICON).toImage()
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return {pixel.name() for pixel in pixels if pixel.alpha() > 200}


def svg(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bar.svg"
    file.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" fill="none" stroke="currentColor" '
        'stroke-width="2"><path d="M4 4h16v16h-16z" fill="currentColor"/></svg>'
    )
    monkeypatch.setattr(theme.assets, "icon", lambda name: tmp_path / f"{name}.svg")


def test_icons_take_the_palettes_colour_and_follow_it(qapp: QApplication, qtbot, tmp_path, monkeypatch) -> None:
    svg(tmp_path, monkeypatch)
    button = QToolButton()
    qtbot.addWidget(button)
    theme.set_icon(button, "bar")
    assert theme.DARK.text in ink(button)
    theme.apply(qapp, Theme.LIGHT)
    assert theme.LIGHT.text in ink(button)
    assert theme.DARK.text not in ink(button)


def test_a_primary_buttons_icon_reads_on_the_accent(qtbot, tmp_path, monkeypatch) -> None:
    svg(tmp_path, monkeypatch)
    button = QPushButton()
    qtbot.addWidget(button)
    theme.set_kind(button, "primary")
    theme.set_icon(button, "bar")
    assert theme.DARK.on_accent in ink(button)


def test_a_missing_icon_is_still_something(qtbot, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(theme.assets, "icon", lambda name: tmp_path / "none.svg")
    button = QToolButton()
    qtbot.addWidget(button)
    theme.set_icon(button, "none")
    assert ink(button)

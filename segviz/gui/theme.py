"""The look: colours, type, spacing and icons, for light and dark, followed live.

The application's palette carries the theme. A widget that paints itself asks `tokens(self.palette())`
in its paint event and needs no signal: Qt repaints it when the palette changes. Sizes go through
`px` and the fonts of this module, so that presenter mode enlarges everything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from PySide6.QtCore import QByteArray, QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from segviz.core import assets
from segviz.core.choices import Theme
from segviz.core.errors import SegvizError
from segviz.gui.stylesheet import style_sheet

XS, S, M, L, XL = 4, 8, 12, 16, 24  # steps of spacing, in pixels before `px`
CONTROL = 28  # height of a control
RADIUS = 4
ICON = 18
BODY, CAPTION, TITLE, NUMBERS = 13, 11, 15, 20  # type scale, in pixels
FADED = 0.45  # opacity of what is painted of a widget that is disabled, or of something old
PRESENTER = 1.8  # how much larger everything is in presenter mode

_ICON_NAME = "segvizIcon"
_FACTOR = "segvizTextFactor"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme, as #rrggbb.

    `surround` lies behind the image; `on_accent` is text on the accent; `window`, `panel` and
    `raised` are the three surfaces, on each of which every other colour of text reads well.
    """

    name: str
    dark: bool
    window: str
    surround: str
    panel: str
    raised: str
    line: str
    text: str
    dim: str
    accent: str
    on_accent: str
    ok: str
    warn: str
    bad: str

    def color(self, name: str, alpha: float = 1.0) -> QColor:
        """The token `name` as a QColor; `alpha` from 0 to 1."""
        color = QColor(str(getattr(self, name)))
        color.setAlphaF(alpha)
        return color


DARK = Tokens(
    name="dark",
    dark=True,
    window="#1b1d21",
    surround="#141519",
    panel="#23262b",
    raised="#2c3036",
    line="#3a3f47",
    text="#e6e8eb",
    dim="#a4abb5",
    accent="#4da3ff",
    on_accent="#0d1117",
    ok="#5cc98f",
    warn="#f0b429",
    bad="#ff7b72",
)
LIGHT = Tokens(
    name="light",
    dark=False,
    window="#f4f5f7",
    surround="#dfe2e6",
    panel="#ffffff",
    raised="#eceef1",
    line="#d3d7dd",
    text="#1c2025",
    dim="#5a626d",
    accent="#0b63ce",
    on_accent="#ffffff",
    ok="#17734a",
    warn="#8a5a00",
    bad="#c0262d",
)
# Used instead when the system asks for high contrast: pure surfaces, visible lines, no dim text.
DARK_CONTRAST = Tokens(
    name="dark, high contrast",
    dark=True,
    window="#000000",
    surround="#000000",
    panel="#000000",
    raised="#1a1a1a",
    line="#c8c8c8",
    text="#ffffff",
    dim="#e4e4e4",
    accent="#7cc0ff",
    on_accent="#000000",
    ok="#7df0b4",
    warn="#ffd24d",
    bad="#ffa49e",
)
LIGHT_CONTRAST = Tokens(
    name="light, high contrast",
    dark=False,
    window="#ffffff",
    surround="#e4e4e4",
    panel="#ffffff",
    raised="#f0f0f0",
    line="#4a4a4a",
    text="#000000",
    dim="#2b2b2b",
    accent="#003f8f",
    on_accent="#ffffff",
    ok="#00522f",
    warn="#5c3b00",
    bad="#8f0011",
)
ALL = (DARK, LIGHT, DARK_CONTRAST, LIGHT_CONTRAST)


# -------------------------------------------------------------------------------------- palette


def palette_of(t: Tokens) -> QPalette:
    """The palette that stands for `t`; `tokens` finds the way back."""
    role = QPalette.ColorRole
    palette = QPalette()
    colours = {
        role.Window: t.window,
        role.Base: t.panel,
        role.AlternateBase: t.raised,
        role.Button: t.raised,
        role.ToolTipBase: t.raised,
        role.Light: t.raised,
        role.Midlight: t.raised,
        role.Mid: t.line,
        role.Dark: t.line,
        role.Shadow: t.surround,
        role.WindowText: t.text,
        role.Text: t.text,
        role.ButtonText: t.text,
        role.ToolTipText: t.text,
        role.BrightText: t.bad,
        role.PlaceholderText: t.dim,
        role.Highlight: t.accent,
        role.Accent: t.accent,
        role.HighlightedText: t.on_accent,
        role.Link: t.accent,
        role.LinkVisited: t.accent,
    }
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        faded = t.color("dim")
        faded.setAlphaF(0.6)
        palette.setColor(QPalette.ColorGroup.Disabled, which, faded)
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(t.line))
    return palette


def tokens(palette: QPalette | None = None) -> Tokens:
    """The theme that `palette` (of a widget; else of the application) was made from."""
    if palette is None:
        palette = QApplication.palette()
    shadow, window = palette.color(QPalette.ColorRole.Shadow).name(), palette.color(QPalette.ColorRole.Window)
    text = palette.color(QPalette.ColorGroup.Normal, QPalette.ColorRole.WindowText).name()
    for t in ALL:
        if t.surround == shadow and t.text == text:
            return t
    return DARK if window.lightness() < 128 else LIGHT


class Look(QObject):
    """The look of the running application; a child of it. `changed` fires after theme or size changed."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self.theme = Theme.SYSTEM
        app.styleHints().colorSchemeChanged.connect(self._system_changed)

    def set_theme(self, theme: Theme) -> None:
        """Show `theme`; SYSTEM follows the system from now on."""
        self.theme = theme
        hints = self._app.styleHints()
        if theme is Theme.SYSTEM:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if theme is Theme.DARK else Qt.ColorScheme.Light)
        self._show()

    def set_factor(self, factor: float) -> None:
        """Enlarge type and controls: 1, or PRESENTER."""
        if factor != text_factor():
            self._app.setProperty(_FACTOR, float(factor))
            self._show()

    def _system_changed(self) -> None:
        if self.theme is Theme.SYSTEM:
            self._show()

    def _show(self) -> None:
        chosen = wanted(self.theme, self._app)
        sheet = style_sheet(asdict(chosen), text_factor())
        if sheet == self._app.styleSheet() and tokens() is chosen:
            return  # restyling every widget takes long enough to be seen
        self._app.setPalette(palette_of(chosen))
        self._app.setFont(body())
        self._app.setStyleSheet(sheet)
        _refresh_icons()
        self.changed.emit()


def wanted(theme: Theme, app: QApplication) -> Tokens:
    """The tokens that `theme` means on this system; unknown systems count as dark, which suits images."""
    scheme = app.styleHints().colorScheme()
    dark = theme is Theme.DARK or (theme is Theme.SYSTEM and scheme is not Qt.ColorScheme.Light)
    if _wants_contrast(app):
        return DARK_CONTRAST if dark else LIGHT_CONTRAST
    return DARK if dark else LIGHT


def _wants_contrast(app: QApplication) -> bool:
    hints = getattr(app.styleHints(), "accessibility", None)  # Qt 6.10 and newer
    return hints is not None and hints().contrastPreference() == Qt.ContrastPreference.HighContrast


def apply(app: QApplication, theme: Theme = Theme.SYSTEM) -> Look:
    """Give `app` the look of `theme`; may be called again at any time. Returns its Look."""
    found = look()
    if found is None:
        app.setStyle("Fusion")
        found = Look(app)
    found.set_theme(theme)
    return found


def look() -> Look | None:
    """The application's Look; None before `apply`."""
    app = QApplication.instance()
    return app.findChild(Look) if app is not None else None


# ------------------------------------------------------------------------------- type and sizes


def text_factor() -> float:
    """1, or more in presenter mode."""
    app = QApplication.instance()
    return float((app.property(_FACTOR) if app is not None else None) or 1.0)


def px(size: float) -> int:
    """`size` pixels, enlarged in presenter mode."""
    return round(size * text_factor())


def _font(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(max(1, px(size)))
    font.setWeight(weight)
    return font


def body(strong: bool = False) -> QFont:
    return _font(BODY, QFont.Weight.DemiBold if strong else QFont.Weight.Normal)


def caption(strong: bool = False) -> QFont:
    return _font(CAPTION, QFont.Weight.DemiBold if strong else QFont.Weight.Normal)


def title() -> QFont:
    return _font(TITLE, QFont.Weight.DemiBold)


def numbers(size: float = BODY) -> QFont:
    """A font whose figures are equally wide, so that numbers in columns and clocks stand still."""
    font = _font(size)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def set_role(widget: QWidget, role: str) -> None:
    """Give a label a place in the type scale: caption, dim, title, heading, numbers, ok, warn or bad."""
    _restyle(widget, "role", role)


def set_kind(widget: QWidget, kind: str) -> None:
    """Give a button its kind: primary or link (QPushButton), button or flat (QToolButton); a label: tag."""
    _restyle(widget, "kind", kind)


def set_surface(widget: QWidget, surface: str) -> None:
    """Paint a plain widget's background as panel, raised or window."""
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
    _restyle(widget, "surface", surface)


def _restyle(widget: QWidget, name: str, value: str) -> None:
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


LOOK_CHANGES = frozenset(
    {QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.PaletteChange, QEvent.Type.ApplicationFontChange}
)
"""Types of `changeEvent` after which a self-painted widget measures itself again."""


# ------------------------------------------------------------------------------------------ icons


def icon(name: str, color: str | None = None) -> QIcon:
    """The outline icon `name` in the palette's colours; a small ring while its file is missing.

    For something that stays on the screen use `set_icon`, which follows the theme.
    """
    t = tokens()
    source = _svg(name)
    out = QIcon()
    modes = {
        QIcon.Mode.Normal: t.color(color or "text"),
        QIcon.Mode.Active: t.color(color or "text"),
        QIcon.Mode.Selected: t.color("on_accent"),
        QIcon.Mode.Disabled: t.color("dim", 0.45),
    }
    for mode, colour in modes.items():
        for scale in (1, 2):
            out.addPixmap(_pixmap(source, colour, px(ICON), scale), mode)
    return out


def drawing(name: str, size: int, color: str = "text") -> QPixmap:
    """The outline icon `name`, `size` pixels before `px`, where it stands for a picture."""
    return _pixmap(_svg(name), tokens().color(color), px(size), 2)


def set_icon(target: QAction | QAbstractButton, name: str) -> None:
    """Put the icon `name` on a button or an action and keep it in the colours of the theme."""
    target.setProperty(_ICON_NAME, name)
    target.setIcon(icon(name, _icon_color(target)))
    if isinstance(target, QAbstractButton):
        target.setIconSize(QSize(px(ICON), px(ICON)))


def _icon_color(target: QObject) -> str:
    return "on_accent" if target.property("kind") == "primary" else "text"


def _refresh_icons() -> None:
    for top in QApplication.topLevelWidgets():
        targets: list[QObject] = [top, *top.findChildren(QAction), *top.findChildren(QAbstractButton)]
        for target in targets:
            name = target.property(_ICON_NAME)
            if name and isinstance(target, (QAction, QAbstractButton)):
                set_icon(target, name)


def _svg(name: str) -> bytes | None:
    try:
        path = assets.icon(name)
        return path.read_bytes() if path.is_file() else None
    except SegvizError:
        return None


def _pixmap(source: bytes | None, color: QColor, size: int, scale: int) -> QPixmap:
    pixmap = QPixmap(size * scale, size * scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if source is None:
        painter.setPen(color)
        inset = size * scale * 0.3
        painter.drawEllipse(QRectF(pixmap.rect()).adjusted(inset, inset, -inset, -inset))
    else:
        from PySide6.QtSvg import QSvgRenderer  # not needed before the first icon

        drawn = source.replace(b"currentColor", color.name().encode()).replace(
            b'stroke-width="2"', b'stroke-width="1.5"'
        )
        painter.setOpacity(color.alphaF())
        QSvgRenderer(QByteArray(drawn)).render(painter)
    painter.end()
    pixmap.setDevicePixelRatio(scale)
    return pixmap

"""The one style sheet: it quietens what Fusion draws too loudly and holds the type scale.

`@name` stands for a colour of the theme, `@13px` for a length that presenter mode enlarges. `role`,
`kind` and `surface` are dynamic properties that `theme.set_role`, `set_kind`, `set_surface` set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def style_sheet(colours: Mapping[str, object], factor: float = 1.0) -> str:
    """The style sheet with the colours of a theme, lengths enlarged by `factor`.

    Raises KeyError for a colour that the theme does not have.
    """
    sized = re.sub(r"@(-?)(\d+)px", lambda m: f"{m[1]}{round(int(m[2]) * factor)}px", _SHEET)
    return re.sub(r"@([a-z_]+)", lambda m: str(colours[m[1]]), sized)


_SHEET = """
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: @4px; }

QLabel[role="caption"] { font-size: @11px; color: @dim; }
QLabel[role="dim"] { color: @dim; }
QLabel[role="title"] { font-size: @15px; font-weight: 600; }
QLabel[role="heading"] { font-size: @11px; font-weight: 600; color: @dim; letter-spacing: 1px; }
QLabel[role="numbers"] { font-size: @20px; font-weight: 500; }
QLabel[role="ok"] { color: @ok; }
QLabel[role="warn"] { color: @warn; }
QLabel[role="bad"] { color: @bad; }
QLabel[role="changed"] { font-size: @11px; color: @accent; }
QLabel[kind="tag"] { background: @panel; border: 1px solid @warn; border-radius: 4px; padding: @4px @8px; }

QWidget[surface="panel"] { background: @panel; }
QWidget[surface="raised"] { background: @raised; }
QWidget[surface="window"] { background: @window; }
QWidget[surface="surround"] { background: @surround; }

QMainWindow::separator { background: @line; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @accent; }
QToolBar { background: @panel; border: none; border-bottom: 1px solid @line; spacing: @8px; padding: @4px @8px; }
QStatusBar { background: @panel; color: @dim; border-top: 1px solid @line; font-size: @11px; }
QStatusBar::item { border: none; }
QDockWidget { background: @panel; }

QMenuBar { background: @panel; }
QMenuBar::item { padding: @4px @8px; background: transparent; }
QMenuBar::item:selected { background: @raised; }
QMenu { background: @panel; border: 1px solid @line; padding: @4px; }
QMenu::item { padding: @4px @24px @4px @12px; border-radius: 4px; }
QMenu::item:selected { background: @raised; color: @text; }
QMenu::item:disabled { color: @dim; }
QMenu::separator { height: 1px; background: @line; margin: @4px @8px; }

QPushButton { background: @raised; border: 1px solid transparent; border-radius: 4px;
    padding: 0 @12px; min-height: @26px; }
QPushButton:hover { border-color: @line; }
QPushButton:pressed, QPushButton:checked { background: @line; }
QPushButton:disabled { color: @dim; }
QPushButton:focus { border: 1px solid @accent; }
QScrollArea[kind="reader"] { border: 1px solid transparent; }
QScrollArea[kind="reader"]:focus { border-color: @accent; }
QPushButton[kind="primary"] { background: @accent; color: @on_accent; font-weight: 600;
    border: 2px solid transparent; min-height: @24px; }
QPushButton[kind="primary"]:hover { border-color: @text; }
QPushButton[kind="primary"]:disabled { background: @line; color: @dim; }
QPushButton[kind="primary"]:focus { border-color: @text; }
QPushButton[kind="link"] { background: transparent; color: @accent; padding: 0 @4px; }
QPushButton[kind="link"]:focus { border: 1px solid @accent; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 0 @4px;
    min-height: @26px; }
QToolButton[kind="flat"] { min-width: @18px; }
QToolButton[kind="button"] { background: @raised; padding: 0 @8px; }
QToolButton:hover { background: @raised; }
QToolButton[kind="inside"] { border: none; padding: 0; min-height: 0; }
QToolButton[kind="inside"]:focus { border: 1px solid @accent; }
QToolButton[kind="button"]:hover { border-color: @line; }
QToolButton:pressed, QToolButton:checked { background: @raised; }
QToolButton:disabled { color: @dim; }
QToolButton:focus { border: 1px solid @accent; }
QToolButton::menu-indicator { image: none; }

QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox { background: @raised; border: 1px solid transparent;
    border-radius: 4px; padding: 0 @8px; min-height: @26px; selection-background-color: @accent;
    selection-color: @on_accent; }
QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0; min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; width: 1px; border: none; }
QLineEdit[kind="refused"] { border: 1px solid @bad; }
QPlainTextEdit, QTextEdit { background: @raised; border: 1px solid transparent; border-radius: 4px; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
    border: 1px solid @accent; }

QCheckBox::indicator:unchecked { width: @13px; height: @13px; border: 1px solid @dim; border-radius: 2px;
    background: @raised; }
QCheckBox::indicator:unchecked:hover { border-color: @text; }
QCheckBox:focus { color: @accent; }

QSlider { min-height: @22px; }
QSlider::groove:horizontal { height: @3px; background: @line; border-radius: 1px; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 1px; }
QSlider::sub-page:horizontal:disabled { background: @line; }
QSlider::handle:horizontal { width: @12px; margin: @-5px 0; border-radius: @6px; background: @accent; }
QSlider::handle:horizontal:hover { background: @text; }
QSlider::handle:horizontal:disabled { background: @dim; }
QSlider::handle:horizontal:focus { background: @panel; border: 2px solid @accent; width: @8px; border-radius: @6px; }

QProgressBar { background: @line; border: none; border-radius: 1px; max-height: @3px; }
QProgressBar::chunk { background: @accent; border-radius: 1px; }

QTabBar { background: @panel; }
QTabBar::tab { background: transparent; color: @dim; padding: @8px @12px; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:focus { color: @accent; }
QTabWidget::pane { border: none; border-top: 1px solid @line; background: @panel; }

QAbstractScrollArea { border: none; }
QAbstractItemView { background: @panel; selection-background-color: @raised; selection-color: @text; }
QHeaderView::section { background: @panel; color: @dim; border: none; border-bottom: 1px solid @line;
    padding: @4px @8px; }
QScrollBar:vertical { background: transparent; width: @10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: @10px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 3px; margin: 2px; min-width: 24px; min-height: 24px; }
QScrollBar::handle:hover { background: @dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
"""

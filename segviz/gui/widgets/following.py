"""What has the focus while one walks by keys, and is seen to have it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QScrollArea, QWidget


def follow_focus(area: QScrollArea) -> None:
    """Scroll to what has the focus inside, from now on: Qt does so only where the focus was inside before."""

    def follow(_: QWidget | None, now: QWidget | None) -> None:
        inside = area.widget()
        if now is not None and inside is not None and inside.isAncestorOf(now):
            area.ensureWidgetVisible(now, 0, 0)

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.focusChanged.connect(follow)
    area.destroyed.connect(lambda: app.focusChanged.disconnect(follow))


def focus_with_rows(view: QAbstractItemView) -> None:
    """Take the focus as now only while there are rows, from now on: an empty view could not show that it has it."""
    model, usual = view.model(), view.focusPolicy()

    def follow() -> None:
        view.setFocusPolicy(usual if model.rowCount() else Qt.FocusPolicy.NoFocus)

    for changed in (model.modelReset, model.rowsInserted, model.rowsRemoved):
        changed.connect(follow)
    follow()

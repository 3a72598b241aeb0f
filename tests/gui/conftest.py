"""What tests of the window share: one look, whatever the machine's own is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from segviz.core.choices import Theme
from segviz.gui import theme


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> Iterator[None]:
    """Every test starts dark and at normal size."""
    look = theme.look() or theme.apply(qapp, Theme.DARK)
    if look.theme is not Theme.DARK:
        look.set_theme(Theme.DARK)
    look.set_factor(1.0)
    yield

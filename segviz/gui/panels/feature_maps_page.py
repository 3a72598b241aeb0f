"""What a page of the tab of feature maps is: a widget under a header of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from segviz.gui.scene import Scene


class FeaturePage(Protocol):
    """One page. It is shown scenes only while it is in front; `header` stands beside the tabs then."""

    widget: QWidget
    header: QWidget

    def show(self, old: Scene | None, new: Scene) -> None:
        """Repaint what differs; `old` is None when the page comes to the front. Silent."""

    def hover(self, point: tuple[float, float] | None) -> None:
        """The mouse is over this pixel of the image, or has left it."""

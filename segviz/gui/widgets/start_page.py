"""What a view shows before there is anything to show: samples to click, and how to bring one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from segviz.gui import theme
from segviz.gui.widgets.cards import Card, CardGrid
from segviz.gui.widgets.following import follow_focus


class Offer(NamedTuple):
    """One card: what `chosen` emits, its words, and the file of its picture, or an icon where it has none."""

    key: str
    title: str
    text: str
    picture: str
    icon: str = ""


class StartPage(QScrollArea):
    """Sections of cards. Pictures are read one by one once the page has been painted."""

    chosen = Signal(str, str)  # name of the section, key of the card

    def __init__(self, title: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its cards have it
        self._cards: list[Card] = []
        self._meaning: dict[QAbstractButton, tuple[str, str]] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self._group.buttonClicked.connect(self._clicked)
        self._inside = QWidget()
        theme.set_surface(self._inside, "surround")
        self._rows = QVBoxLayout(self._inside)
        self._rows.setContentsMargins(theme.XL, theme.XL, theme.XL, theme.XL)
        self._rows.setSpacing(theme.S)
        self._rows.addWidget(self._label(title, "title"))
        self._rows.addWidget(self._label(hint, "dim"))
        self._rows.addStretch(1)
        self.setWidget(self._inside)
        follow_focus(self)
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._load_next)

    @staticmethod
    def _label(text: str, role: str) -> QLabel:
        label = QLabel(text)
        label.setWordWrap(True)
        theme.set_role(label, role)
        return label

    def add_section(self, name: str, title: str, offers: Sequence[Offer], width: int) -> None:
        """Append cards of `width` pixels under a heading."""
        if not offers:
            return
        cards = [Card(offer.title, offer.text, offer.picture, width, offer.icon) for offer in offers]
        for card, offer in zip(cards, offers, strict=True):
            self._group.addButton(card)
            self._meaning[card] = name, offer.key
        at = self._rows.count() - 1
        self._rows.insertSpacing(at, theme.S)
        self._rows.insertWidget(at + 1, self._label(title, "heading"))
        self._rows.insertWidget(at + 2, CardGrid(cards))
        self._cards += cards

    def _clicked(self, card: QAbstractButton) -> None:
        self.chosen.emit(*self._meaning[card])

    @property
    def cards(self) -> tuple[Card, ...]:
        return tuple(self._cards)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def _load_next(self) -> None:
        waiting = next((card for card in self._cards if not card.loaded), None)
        if waiting is None or not self.isVisible():
            self._timer.stop()
        else:
            waiting.load()

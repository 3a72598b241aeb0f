"""The model card: what the network is and where it comes from, what can be done with it, and how images go in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from segviz.core.errors import SegvizError
from segviz.core.specs import parse
from segviz.gui import card_words, gestures, theme
from segviz.gui.names import sentence, title_of
from segviz.gui.panels.base import Area
from segviz.gui.panels.card_facts import BadgeRows, FactRows, NoteRows
from segviz.gui.panels.card_fields import FieldForm
from segviz.gui.panels.header import at_the_end
from segviz.gui.scene import Kind, Scene
from segviz.gui.widgets.following import follow_focus
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.requests import Network
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

NOTHING = "Choose a network above, or drop a file of one on the window: its card says what it is and what it can do."


class CardPanel:
    """Name, source, facts, capabilities and notes of the network; its viewing options can be changed here."""

    id = "card"
    title = "Model card"
    area = Area.LEFT
    stage: QWidget | None = None

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self.widget = QWidget()
        self.widget.setObjectName("panel-card")
        self.widget.setMinimumWidth(theme.px(248))
        theme.set_surface(self.widget, "panel")
        self._copy = flat_button("copy", "Copy the card as a table")
        self._copy.clicked.connect(self._copy_card)
        self._save = flat_button("download", "Save the card as CSV")
        self._save.clicked.connect(self._save_card)
        self.header: QWidget | None = at_the_end(self._copy, self._save)
        self._note = _text("dim")
        self._name, self._summary, self._caution = _text("title"), _text("dim"), _text("warn")
        self.facts, self.badge, self.notes, self.origin = FactRows(), BadgeRows(), NoteRows(), FactRows()
        self.form = FieldForm()
        self.form.entered.connect(self._enter)
        self.form.reset.connect(lambda option: self._view(option, None))
        self.form.reset_all.connect(lambda: self._session.update(**gestures.view_as_brought(self._now())))
        self._parts = (self._name, self._summary, self.facts, self.badge, self.form, self.origin)
        self.area_of_card = self._scrolled()
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.area_of_card, 1)

    def _scrolled(self) -> QScrollArea:
        inside = QWidget()
        theme.set_surface(inside, "panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(theme.M, theme.S, theme.S, theme.M)
        column.setSpacing(theme.S)
        for part in (self._note, self._name, self._summary, self._caution, self.facts):
            column.addWidget(part)
        for below in (self.badge, self.form, self.notes, self.origin):
            column.addSpacing(theme.XS)
            column.addWidget(below)
        column.addStretch(1)
        area = QScrollArea()
        area.setProperty("kind", "reader")
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setAccessibleName("Model card")
        area.setWidget(inside)
        follow_focus(area)
        return area

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        network = new.network
        self._show_note(new)
        for part in self._parts:
            part.setVisible(network is not None)
        for button in (self._copy, self._save):
            button.setEnabled(network is not None)
        if network is None:
            self._caution.hide()
            self.notes.hide()
        elif old is None or _differs(old, new):
            self._show_network(network, new)

    def _show_note(self, scene: Scene) -> None:
        text = ""
        if scene.known is None:
            reading = scene.job(Kind.DESCRIPTION) is not None
            text = f"Reading {title_of(scene.state.model)}…" if reading else ("" if scene.network else NOTHING)
        self._note.say(text)
        self._note.setVisible(bool(text))

    def _show_network(self, network: Network, scene: Scene) -> None:
        entry, spec = network.entry, parse(network.request.setup.model)
        self._name.say(entry.title)
        self._summary.say(sentence(entry.summary))
        self._summary.setVisible(bool(entry.summary))
        self._caution.say(f"{entry.caution}." if entry.caution else "")
        self._caution.setVisible(bool(entry.caution))
        self.facts.show_facts(card_words.facts(network))
        self.origin.show_facts(card_words.origin(entry))
        self.badge.show_findings(card_words.findings(network, scene.shown_badge))
        self.notes.show_notes(card_words.notes(network))
        self.form.setEnabled(scene.known is not None)
        if scene.known is not None and scene.entry is not None:
            entry, spec = scene.entry, parse(scene.state.model)
        self.form.show_entry(entry, spec, card_words.names_from(network.brought, spec.without("labels")))

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: a network does not depend on the mouse."""

    def wants_stage(self, scene: Scene) -> bool:
        return False

    # ------------------------------------------------------------------------------ gestures

    def _now(self) -> Scene:
        """The scene with the newest State: several gestures may come before the next `show`."""
        scene = self._scene or Scene(self._session.state)
        return replace(scene, state=self._session.state)

    def _enter(self, option: str, text: str) -> None:
        self._view(option, card_words.typed(option, text))

    def _view(self, option: str, value: str | None) -> None:
        """Change a viewing option; a value that cannot be is refused beside its field, and changes nothing."""
        try:
            changes = gestures.view_otherwise(self._now(), option, value)
        except SegvizError as error:
            self.form.refuse(option, str(error))
            return
        self.form.refuse(option, "")
        self._session.update(**changes)
        scene = self._now()
        if scene.network is not None:  # also where nothing changed: what was typed another way is shown as it is read
            self._show_network(scene.network, scene)

    # -------------------------------------------------------------------------------- leaving

    def _rows(self) -> list[list[object]]:
        scene = self._now()
        return card_words.rows(scene.network, scene.shown_badge) if scene.network is not None else []

    def _copy_card(self) -> None:
        self._commands.copy_table(self._rows())

    def _save_card(self) -> None:
        self._commands.save_table(self._rows(), "model-card")


def _text(role: str) -> WrappedLabel:
    label = WrappedLabel()
    theme.set_role(label, role)
    return label


def _differs(old: Scene, new: Scene) -> bool:
    """Whether the card of two scenes differs."""
    return (
        old.network is not new.network
        or old.state.model != new.state.model
        or old.badge is not new.badge
        or (old.known is None) != (new.known is None)
    )

"""The parts of the model card that are only read: facts in two columns, what can be done, notes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from segviz.core.capabilities import Verdict
from segviz.gui import theme
from segviz.gui.card_words import NOT_EXAMINED, Fact, Finding, said
from segviz.gui.names import sentence
from segviz.gui.widgets import tooltips
from segviz.gui.widgets.heading import heading
from segviz.gui.widgets.wrapped import WrappedLabel

SIGNS = {Verdict.YES: ("✓", "ok"), Verdict.PARTLY: ("◐", "warn"), Verdict.NO: ("✗", "bad"), None: ("–", "dim")}
NAMES = 70  # width of the names of facts, before `theme.px`: the same above and below
TOP = Qt.AlignmentFlag.AlignTop


class _Rebuilt(QWidget):
    """A widget whose contents are made anew when they differ."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: object = None
        self._inside: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def _differs(self, shown: object) -> bool:
        differs, self._shown = shown != self._shown, shown
        return differs

    def _fill(self, layout: QLayout) -> None:
        inside = QWidget()
        inside.setLayout(layout)
        if self._inside is not None:
            self._column.removeWidget(self._inside)
            self._inside.hide()
            self._inside.deleteLater()
        self._inside = inside
        self._column.addWidget(inside)


class FactRows(_Rebuilt):
    """Names and values; a value wraps, and has a tooltip where there is more to say."""

    def show_facts(self, facts: Sequence[Fact]) -> None:
        if not self._differs(tuple(facts)):
            return
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.S)
        grid.setVerticalSpacing(theme.XS)
        grid.setColumnMinimumWidth(0, theme.px(NAMES))
        grid.setColumnStretch(1, 1)
        for row, fact in enumerate(facts):
            name = QLabel(fact.name)
            theme.set_role(name, "dim")
            value = WrappedLabel(fact.text)
            value.setAccessibleName(f"{fact.name}: {fact.text}")
            value.setToolTip(tooltips.plain(fact.tip))
            grid.addWidget(name, row, 0, TOP)
            grid.addWidget(value, row, 1, TOP)
        self._fill(grid)


class BadgeRows(_Rebuilt):
    """What can be done with a network: a sign, the ability, and why not wherever the answer is no."""

    def show_findings(self, findings: Sequence[Finding]) -> None:
        if not self._differs(tuple(findings)):
            return
        head = QHBoxLayout()
        head.addWidget(heading("Capabilities"), 1)
        if any(finding.verdict is None for finding in findings):
            waiting = QLabel(NOT_EXAMINED)
            theme.set_role(waiting, "caption")
            head.addWidget(waiting)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addLayout(head)
        column.addLayout(_findings(findings))
        self._fill(column)


def _findings(findings: Sequence[Finding]) -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(theme.S)
    grid.setVerticalSpacing(theme.XS)
    grid.setColumnMinimumWidth(0, theme.px(theme.L))
    grid.setColumnStretch(1, 1)
    for row, finding in enumerate(findings):
        sign, role = SIGNS[finding.verdict]
        mark = QLabel(sign)
        theme.set_role(mark, role)
        mark.setAccessibleName(finding.verdict.value if finding.verdict is not None else NOT_EXAMINED)
        grid.addWidget(mark, row, 0, TOP)
        grid.addLayout(_finding(finding), row, 1)
    return grid


def _finding(finding: Finding) -> QVBoxLayout:
    name = QLabel(finding.ability.title)
    name.setToolTip(finding.ability.hint)
    name.setAccessibleName(said(finding))
    word = QLabel(finding.verdict.value if finding.verdict is not None else "")
    theme.set_role(word, "dim")
    if finding.verdict is None:
        theme.set_role(name, "dim")
    head = QHBoxLayout()
    head.setSpacing(theme.S)
    head.addWidget(name)
    head.addStretch(1)
    head.addWidget(word)
    column = QVBoxLayout()
    column.setSpacing(0)
    column.addLayout(head)
    if finding.reason:
        reason = WrappedLabel(sentence(finding.reason))
        theme.set_role(reason, "caption")
        column.addWidget(reason)
    return column


class NoteRows(_Rebuilt):
    """Sentences under a heading; hidden while there are none."""

    def show_notes(self, notes: Sequence[str]) -> None:
        if self._differs(tuple(notes)):
            column = QVBoxLayout()
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(theme.XS)
            column.addWidget(heading("Notes"))
            for note in notes:
                column.addWidget(WrappedLabel(note))
            self._fill(column)
        self.setVisible(bool(notes))

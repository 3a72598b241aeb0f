"""The Qt binding itself: a release that loses references to `True` ends the process after some hundred signals."""

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel


class Carrier(QObject):
    told = Signal(bool)


def test_signals_and_setters_leave_the_references_to_true_alone(qtbot):
    """PySide6 6.12.0 on Python below 3.12 loses one at every emission; 6.11.3 none."""
    carrier, label, heard = Carrier(), QLabel(), []
    qtbot.addWidget(label)
    carrier.told.connect(lambda value: heard.append(int(value)))
    before = sys.getrefcount(True)
    for number in range(200):
        carrier.told.emit(True)
        label.setText(str(number))
    assert heard == [1] * 200
    assert abs(sys.getrefcount(True) - before) < 20

"""Pictures of the training laboratory for `docs/pictures.py`: the window after two quick runs, which take a minute."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QTimer

from segviz.core.choices import Theme
from segviz.core.learning import TrainRequest
from segviz.core.session import Session
from segviz.gui import app, pictures, theme
from segviz.gui.files import read_session
from segviz.gui.runs import Phase
from segviz.gui.window import MainWindow

SIZE = 1440, 900
RATES = 4e-4, 4e-3  # the same digits are learned at these rates


def trained(session: Path) -> int:
    """Open the window of a session file, train, and save its picture beside the file; returns the exit status."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = app.make_application()
    theme.apply(application, Theme(session.stem.rpartition("-")[2]))
    state, _ = read_session(session)
    window = MainWindow(Session(state), app.make_jobs, remembers=False, make_trainer=app.make_trainer)
    window.resize(*SIZE)
    wanted = [TrainRequest("lenet5", quick=True, learning_rate=rate) for rate in RATES]

    def look() -> None:
        if window.desk.scene.training.phase is not Phase.IDLE or not window.desk.idle:
            return
        if wanted:
            window.desk.training.start(wanted.pop(0))
        else:
            pictures.save_png(window.grab().toImage(), session.with_suffix(".png"))
            window.close()

    timer = QTimer(window)
    timer.timeout.connect(look)
    window.filled.connect(lambda: timer.start(app.LOOK_EVERY))
    window.closed.connect(application.quit)
    window.show()
    return application.exec()

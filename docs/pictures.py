"""Makes the pictures of the documents: `python docs/pictures.py` renders the window from the session files beside them.

Every picture is what `segviz --session docs/pictures/NAME.json` shows; the theme is the end of its name. Those of
the training laboratory (`training-...`) are taken after two quick runs of it, which take a minute.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from segviz.cli.main import main  # noqa: E402 - found through the line above

if TYPE_CHECKING:
    from segviz.core.learning import TrainRequest

PICTURES = HERE / "pictures"
SIZE = "1440x900"
TRAINED = "training-"


def command(session: Path) -> list[str]:
    """The words that render one session file to the picture of the same name."""
    theme = session.stem.rpartition("-")[2]
    picture = session.with_suffix(".png")
    return ["gui", "--session", str(session), "--screenshot", str(picture), "--size", SIZE, "--theme", theme]


def runs() -> list[TrainRequest]:
    """What is trained before a picture of the laboratory: the same digits, learned at two rates."""
    from segviz.core.learning import TrainRequest

    return [TrainRequest("lenet5", quick=True, learning_rate=rate) for rate in (4e-4, 4e-3)]


def trained(session: Path) -> int:
    """Open the window of a session file, train, and save its picture; returns the exit status."""
    from PySide6.QtCore import QTimer

    from segviz.core.choices import Theme
    from segviz.core.session import Session
    from segviz.gui import app, pictures, theme
    from segviz.gui.files import read_session
    from segviz.gui.runs import Phase
    from segviz.gui.window import MainWindow

    application = app.make_application()
    theme.apply(application, Theme(session.stem.rpartition("-")[2]))
    state, _ = read_session(session)
    window = MainWindow(Session(state), app.make_jobs, remembers=False, make_trainer=app.make_trainer)
    window.resize(*(int(side) for side in SIZE.split("x")))
    wanted = runs()

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


if __name__ == "__main__":
    asked = sys.argv[1:] or [session.stem for session in sorted(PICTURES.glob("*.json"))]
    # One process a picture: a QApplication is made once.
    if len(asked) > 1:
        import subprocess

        for name in asked:
            subprocess.run([sys.executable, __file__, name], check=True)
        sys.exit(0)
    place = PICTURES / f"{asked[0]}.json"
    sys.exit(trained(place) if place.stem.startswith(TRAINED) else main(command(place)))

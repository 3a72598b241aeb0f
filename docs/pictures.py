"""Makes the pictures of the documents: `python docs/pictures.py` renders the window from the session files beside them.

Every picture of the window is what `segviz --session docs/pictures/NAME.json` shows; the theme is the end of its name.
Arrays alone are drawn by `docs/drawn.py` and `docs/taught.py`, cards by `docs/sighted.py`, pictures called
`training-...` by `docs/trained.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from docs.drawn import DRAWN  # noqa: E402 - found through the line above
from docs.sighted import SIGHTED  # noqa: E402
from docs.taught import TAUGHT  # noqa: E402
from segviz.cli.main import main  # noqa: E402

PICTURES = HERE / "pictures"
SIZE = "1440x900"
TRAINED = "training-"


def command(session: Path) -> list[str]:
    """The words that render one session file to the picture of the same name."""
    theme = session.stem.rpartition("-")[2]
    picture = session.with_suffix(".png")
    return ["gui", "--session", str(session), "--screenshot", str(picture), "--size", SIZE, "--theme", theme]


def make(name: str) -> int:
    """Make one picture; returns the exit status."""
    session = PICTURES / f"{name}.json"
    drawn = DRAWN | TAUGHT | SIGHTED
    if name in drawn:
        drawn[name](PICTURES / f"{name}.png")
        return 0
    if name.startswith(TRAINED):
        from docs.trained import trained

        return trained(session)
    return main(command(session))


if __name__ == "__main__":
    wanted = sys.argv[1:] or [*DRAWN, *TAUGHT, *SIGHTED, *(session.stem for session in sorted(PICTURES.glob("*.json")))]
    # One process a picture: a QApplication is made once.
    if len(wanted) > 1:
        import subprocess

        for name in wanted:
            subprocess.run([sys.executable, __file__, name], check=True)
        sys.exit(0)
    sys.exit(make(wanted[0]))

"""`python -m segviz`: the same as the command `segviz`."""

from __future__ import annotations

import sys

from segviz.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

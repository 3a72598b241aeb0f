"""Where a spawned engine process begins: what must be settled before any library is loaded."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

# Read by the libraries that compute when they are loaded, and never again.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def begin(connection: Connection, runner: str, prefix: str, threads: int | None) -> None:
    """Serve `connection` with at most `threads` threads of computation (None: as many as the libraries like)."""
    if threads is not None:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    from segviz.worker import server

    server.main(connection, runner, prefix)

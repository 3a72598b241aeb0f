"""The rows of `segviz bench`: each a ratio of times, or of memory, taken side by side in one run."""

import segviz.engine  # noqa: F401  first, since it settles how torch's threads wait: as in the application

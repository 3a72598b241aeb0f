"""The rows of `segviz bench`: each a ratio of times, or of memory, taken side by side in one run."""

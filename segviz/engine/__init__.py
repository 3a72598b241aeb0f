"""The torch room that answers requests. What torch reads once, when it is loaded, is settled here."""

import os

# No path of torch may unpickle programs (torch.export.load falls back to it otherwise).
os.environ.setdefault("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
# Threads that wait by spinning starve each other as soon as anything else runs: on two busy cores a
# LeNet-5 on one window took 40 times as long as with threads that sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A few microseconds they may spin: small layers follow one another faster than a thread wakes.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

"""The progress messages of a long test."""

import time


class Steps:
    """Prints each step that is done, and how long it took."""

    def __init__(self):
        self.since = time.monotonic()

    def __call__(self, done):
        now = time.monotonic()
        print(f"{done} ({now - self.since:.1f} s)", flush=True)
        self.since = now

"""What a long test says on its way."""

import time


class Steps:
    """Says what is done, and how long it took."""

    def __init__(self):
        self.since = time.monotonic()

    def __call__(self, done):
        now = time.monotonic()
        print(f"{done} ({now - self.since:.1f} s)", flush=True)
        self.since = now

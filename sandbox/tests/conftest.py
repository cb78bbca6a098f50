"""Settings for every test of the sandbox."""

import gc
import os
import signal

# Programs make hundreds of thousands of objects that stay: searching them for garbage takes a fifth of the tests' time.
gc.set_threshold(100_000, 50, 100)
# A job that a shell starts in the background ignores Ctrl-C, and so does whatever it starts: tests that press it on a
# process of their own would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The day that versions are judged by, in every program that a test runs: no test begins to fail by itself.
os.environ.setdefault("MLP_TODAY", "2026-11-30")

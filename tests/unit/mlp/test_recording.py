"""Recording a program leaves the process unchanged."""

import gc

from mlp.recording import configuration, run_main


def test_the_programs_thresholds_of_garbage_collection_end_with_it():
    before = gc.get_threshold()
    gc.set_threshold(1234, 5, 6)
    try:
        run_main("dev", configuration("dev"))
        assert gc.get_threshold()[:2] == (1234, 5)
    finally:
        gc.set_threshold(*before)

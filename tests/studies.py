"""Studies whose runs are made in the test's own process, which knows what the test has changed."""

from gluon_attn.runs.study import launch
from gluon_attn.runs.study.worker import work

_run_all = launch.run_all


def run_here(folder, workers=1, storage=None, max_failures=None, *more, **named):
    """In place of `launch.run_all`: everything is done before it starts workers."""
    work(folder, storage, max_failures)
    return _run_all(folder, workers, storage, max_failures, *more, **named)

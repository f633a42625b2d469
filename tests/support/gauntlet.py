"""Programs whose file calls below one folder go wrong: tests/hostile/gauntlet_preload.cpp, preloaded."""
import os


def disturbance(below, do=None, at=None, calls=None, log=None, without=None):
    """The environment. `do` is kill-before, kill-after, kill-middle, short or the number of an errno, "+" for all that
    follow; `at` the number of the call from 1 on, of those named `calls` ("rename,link") where that is given. The calls
    `without` are those that the file system does not have."""
    given = {"below": below, "do": do, "at": at, "calls": calls, "log": log, "without": without}
    return {"LD_PRELOAD": os.environ["MOESWEEP_GAUNTLET_PRELOAD"],
            **{f"MOESWEEP_GAUNTLET_{name.upper()}": str(value) for name, value in given.items() if value is not None}}

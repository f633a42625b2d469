"""Processes that a test started: their descendants, their orphans, and waiting for both.

Linux only: reads /proc, and makes the test a subreaper, so that ranks whose mpirun was killed become
children of the test instead of getting lost.
"""
import ctypes
import os
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """From now on processes whose parent dies become children of this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def stat_of(pid):
    """Fields of /proc/<pid>/stat from the state on, or None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def state_of(pid):
    fields = stat_of(pid)
    return fields and fields[0]


def parent_of(pid):
    fields = stat_of(pid)
    return fields and int(fields[1])


def descendants(pid):
    """Children of `pid`, their children and so on; zombies are among them."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            children.setdefault(parent_of(entry), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            found.append(child)
            todo.append(child)
    return found


def alive_below(pid):
    """Descendants that are not zombies."""
    return [child for child in descendants(pid) if state_of(child) not in (None, "Z", "X")]


def rank_of(pid):
    """MPI rank of a process by its environment, or None."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = dict(v.partition(b"=")[::2] for v in file.read().split(b"\0"))
    except OSError:
        return None
    for name in (b"OMPI_COMM_WORLD_RANK", b"PMI_RANK"):
        if name in variables:
            return int(variables[name])
    return None


def ranks_below(pid):
    """{rank: pid} of the MPI processes that a launcher has started so far."""
    found = {}
    for child in descendants(pid):
        rank = rank_of(child)
        if rank is not None:
            found.setdefault(rank, child)  # what a rank starts, to read HDF5 files, is no rank
    return found


def wait_until(condition, what, seconds=60.0, every=0.01):
    """Polls until `condition()` is true and returns its value; AssertionError naming `what` at the end."""
    give_up = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(every)


def wait_for_orphans(seconds=30.0):
    """Waits until no process that descends from this one is left, and reaps them."""

    def all_gone():
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            return True
        return False

    wait_until(all_gone, "orphans to end", seconds)


def signal_if_alive(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass

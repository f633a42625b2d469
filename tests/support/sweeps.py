"""Sweeps for tests of the real program: checkpoints, jobs, runs, and what is on disk afterwards.

MOESWEEP names the program, MOESWEEP_MPIEXEC the launcher of the MPI it was built with.
"""
import collections
import functools
import json
import os
import pathlib
import re
import signal
import subprocess

import h5py
import numpy

import processes

COMPLETE, IO_ERROR, RUN_DIRECTORY, STOPPED, NO_PROGRESS, SOME_FAILED = 0, 74, 73, 75, 79, 80
USE_LITE = pathlib.Path(__file__).resolve().parent.parent / "data" / "use-lite"
HIDDEN = pathlib.Path(__file__).resolve().parent.parent / "data" / "hidden"
STACK = "layers.0.mlp.experts.up_proj"
SEGMENT = re.compile(r"e(\d+)-r(\d+)-s(\d+)-([0-9a-f]{32})\.h5")

Result = collections.namedtuple("Result", "code out err")
Unit = collections.namedtuple("Unit", "key id status error epoch rank bytes_read segment")


def binary():
    return os.environ["MOESWEEP"]


@functools.lru_cache(maxsize=None)
def launcher_passes_on_usr2():
    """Open MPI's does; MPICH's dies of it, there the ranks must get it (`scancel --signal` does that)."""
    version = subprocess.run([os.environ["MOESWEEP_MPIEXEC"], "--version"], capture_output=True, text=True,
                             check=True)
    return "Open MPI" in version.stdout + version.stderr


def environment(**more):
    """Ours, without what an outer launcher or batch system has left in it."""
    foreign = ("OMPI_", "PMIX_", "PMI_", "SLURM_", "HYDRA_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    variables["SOURCE_DATE_EPOCH"] = "1767225600"  # plans of one command are the same bytes
    variables.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                     OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none")
    variables.update(more)
    return variables


def random_weights(random, dtype, shape):
    """Any sign and mantissa, four exponents, no NaN."""
    if dtype == "BF16":
        return (random.integers(0, 65536, shape, numpy.uint16) & 0x81FF) | 0x3C00
    if dtype == "F8_E4M3":
        return (random.integers(0, 256, shape, numpy.uint8) & 0x9F) | 0x20
    raise ValueError(dtype)


def write_arrays(path, arrays, dtype="BF16"):
    """A safetensors file of arrays that hold the bits of `dtype`."""
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(array.data)


def write_stack(directory, slices, rows, columns, dtype):
    """A checkpoint with one stack of experts, and a matrix beside it."""
    directory.mkdir()
    random = numpy.random.default_rng(1)
    arrays = {STACK: random_weights(random, dtype, (slices, rows, columns)),
              "layers.0.self_attn.q_proj.weight": random_weights(random, dtype, (64, 96))}
    write_arrays(directory / "model.safetensors", arrays, dtype)


def write_one_layer_inventory(path):
    """The rows of the first layer of Qwen3.5-397B."""
    inventory = pathlib.Path(__file__).parent.parent / "data" / "qwen35-397b-inventory.csv"
    lines = inventory.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + "".join(line for line in lines if line.startswith("model.language_model.layers.0.")))
    return path


def write_job(path, checkpoint, unit_bytes="256MiB", flush_seconds=0.05, quantizers=("rtn", "affine")):
    lines = ['schema = 1', 'kind = "sensitivity"',
             '[checkpoint]', f'path = "{checkpoint}"',
             '[sensitivity]', f'quantizers = {json.dumps(quantizers)}',
             '[resources]', f'unit_bytes = {json.dumps(unit_bytes)}', 'memory = "1GiB"',
             '[output]', f'flush_seconds = {flush_seconds}']
    path.write_text("\n".join(lines) + "\n")


def write_pipeline_job(path, seeds, pooling=("mean", "last_token"), epochs=40, flush_seconds=0.05):
    """Evidence, heads one seed a unit, suppression and probes on the small caches."""
    lines = ['schema = 1', 'kind = "pipeline"',
             '[cache]', f'dir = "{HIDDEN}"', 'variants = ["bf16", "4bit", "2bit"]', 'baseline = "bf16"',
             '[heads]', 'layers = ["L1"]', f'pooling = {json.dumps(pooling)}', f'epochs = {epochs}',
             f'seeds = {{ first = 0, count = {seeds} }}', 'seeds_per_unit = 1',
             '[suppression]', 'evidence_layer = "L0"', 'replicates = 200',
             '[resources]', 'memory = "1GiB"',
             '[output]', f'flush_seconds = {flush_seconds}']
    path.write_text("\n".join(lines) + "\n")


class Job:
    """A job file of its own folder."""

    def __init__(self, folder, name="job", checkpoint=USE_LITE, **options):
        self.folder = folder
        self.file = folder / f"{name}.toml"
        write_job(self.file, checkpoint, **options)

    @classmethod
    def of_stack(cls, folder, slices, rows, columns, dtype="BF16", **options):
        """One unit a slice of a synthetic stack."""
        write_stack(folder / "stack", slices, rows, columns, dtype)
        slice_bytes = rows * columns * (2 if dtype == "BF16" else 1)
        return cls(folder, "stack_job", folder / "stack", unit_bytes=slice_bytes, **options)

    @classmethod
    def of_caches(cls, folder, seeds, **options):
        """A pipeline over cached hidden states."""
        job = cls.__new__(cls)
        job.folder = folder
        job.file = folder / "pipeline_job.toml"
        write_pipeline_job(job.file, seeds, **options)
        return job

    def sweep(self, name):
        return Sweep(self, self.folder / name)


class Sweep:
    """One run directory."""

    def __init__(self, job, run_dir):
        self.job = job
        self.run_dir = run_dir
        self._units_of_segment = {}
        self._starts = 0

    def start(self, ranks=None, threads=1, options=(), prefix=(), variables=None):
        """Starts or resumes without waiting; `ranks` None is the program alone, without a launcher."""
        command = [*prefix, binary(), "run", str(self.job.file), "--run-dir", str(self.run_dir), "--json",
                   "--threads", str(threads), *options]
        if ranks is not None:
            command = [os.environ["MOESWEEP_MPIEXEC"], "-n", str(ranks), *command]
        self._starts += 1
        log = self.job.folder / f"{self.run_dir.name}.{self._starts}"
        # Files, not pipes: an orphan that holds a pipe would make us wait for it.
        with open(f"{log}.out", "wb") as out, open(f"{log}.err", "wb") as err:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=environment(**(variables or {})))
        process.log = log
        return process

    @staticmethod
    def stop(process, number):
        """Sends a signal the way a batch job would."""
        ranks = processes.ranks_below(process.pid)
        if number == signal.SIGUSR2 and ranks and not launcher_passes_on_usr2():
            for pid in ranks.values():
                processes.signal_if_alive(pid, number)
        else:
            process.send_signal(number)

    @staticmethod
    def finish(process, seconds=240):
        code = process.wait(seconds)
        return Result(code, *(pathlib.Path(f"{process.log}.{stream}").read_text() for stream in ("out", "err")))

    def run(self, ranks=None, threads=1, **options):
        return self.finish(self.start(ranks, threads, **options))

    def run_to_digest(self, ranks=None, threads=1, **options):
        """Runs and returns the digest; anything but a complete end is an AssertionError."""
        result = self.run(ranks, threads, **options)
        if result.code != COMPLETE:
            raise AssertionError(f"{self.run_dir.name} ended with {result.code}: {result.err}{result.out}")
        return json.loads(result.out)["results_digest"]

    def ask(self, command, *options):
        """Another command of the program about this run directory."""
        done = subprocess.run([binary(), command, str(self.run_dir), *options], capture_output=True, text=True,
                              env=environment(), check=False, timeout=120)
        return Result(done.returncode, done.stdout, done.stderr)

    def status(self):
        return json.loads(self.ask("status", "--json").out)

    def segments(self, epoch=None):
        """What is published, by all epochs or by one."""
        published = (self.run_dir / "segments").glob("e*.h5" if epoch is None else f"e{epoch:04}-*.h5")
        return sorted(path for path in published if SEGMENT.fullmatch(path.name))

    def published(self):
        """Every unit record of every segment; segments never change, so each is read once."""
        units = []
        for path in self.segments():
            if path.name not in self._units_of_segment:
                self._units_of_segment[path.name] = read_units(path)
            units += self._units_of_segment[path.name]
        return units

    def done(self):
        return [unit for unit in self.published() if unit.status == "done"]

    def results(self):
        return read_units(self.run_dir / "results.h5")

    def events(self, name):
        """Those of a name; a line that a kill tore is skipped, as every reader must."""
        lines = (self.run_dir / "events.jsonl").read_text().splitlines()
        whole = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [event for event in whole if event["event"] == name]

    def epochs(self):
        """Number of starts so far."""
        return len([p for p in (self.run_dir / "lock").glob("e*.json") if p.name.count(".") == 1])

    def change_start(self, **changes):
        """Of the first epoch, in a record as 0.2 wrote it: without its hash."""
        path = self.run_dir / "lock" / "e0001.json"
        record = dict(json.loads(path.read_text()), **changes)
        record.pop("hash", None)
        path.write_text(json.dumps(record))

    def end_of(self, epoch):
        """How an epoch ended, None after an abnormal end."""
        path = self.run_dir / "lock" / f"e{epoch:04}.end.json"
        return json.loads(path.read_text()) if path.exists() else None

    def in_flight(self, epoch):
        """Ids of the units that the notes of an epoch say are, or were last, being computed."""
        ids = []
        for path in (self.run_dir / "lock").glob(f"e{epoch:04}-r*.inflight"):
            ids += numpy.fromfile(path, "<u8").tolist()
        return {i for i in ids if i != 0}

    def wait_for_segments(self, process, count):
        """Until that many are published; the sweep must not end before."""
        _wait_while_running(process, lambda: len(self.segments()) >= count, f"{count} segments")

    def wait_for_epoch(self, process, epoch):
        """Until the lock of that epoch is taken; the sweep must not end before."""
        _wait_while_running(process, lambda: self.epochs() >= epoch, f"epoch {epoch}")


def _wait_while_running(process, condition, what):
    def reached():
        if process.poll() is not None and not condition():
            raise AssertionError(f"ended with {process.returncode} before {what}")
        return condition()

    processes.wait_until(reached, what)


def read_units(path):
    with h5py.File(path, "r") as file:
        table = {name: column[:] for name, column in file["units"].items()}
    text = {name: [value.decode() for value in table[name]] for name in ("key", "status", "error")}
    return [Unit(text["key"][i], int(table["id"][i]), text["status"][i], text["error"][i],
                 int(table["epoch"][i]), int(table["rank"][i]), int(table["bytes_read"][i]), path.name)
            for i in range(len(text["key"]))]

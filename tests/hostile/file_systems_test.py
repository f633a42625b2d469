"""File systems and limits that answer oddly: no hard links, no fsync of directories, a limit on file sizes.

gauntlet_preload.cpp makes the calls fail that such a file system doesn't have.
"""
import errno
import fcntl
import os
import resource
import shutil
import unittest

import numpy as np

from cli import BAD_INPUT, COMPLETE, IO_ERROR, RUN_DIRECTORY, CliTest, moesweep, random_matrices, write_safetensors
from gauntlet import disturbance
from hidden_arrays import write_hidden_arrays


def without(folder, calls, error):
    """Every one of these calls below the folder fails so."""
    return disturbance(folder, f"{error}+", 1, calls)


def hidden_cache(folder):
    """A cache of hidden states, made from the arrays beside it, and a job that reads it."""
    arrays = folder / "caches" / "bf16.npz"
    arrays.parent.mkdir()
    write_hidden_arrays(arrays)
    cache = arrays.with_suffix(".h5")
    done = moesweep("import-cache", arrays, cache, "--quiet")
    assert done.returncode == COMPLETE, done.stderr
    job = folder / "heads.toml"
    job.write_text('schema = 1\nkind = "heads"\n[cache]\ndir = "caches"\nvariants = ["bf16"]\nbaseline = "bf16"\n'
                   '[heads]\nlayers = ["L1"]\nforbidden = { truth = "0", predicted = "1" }\n')
    return cache, job


class NoHardLinks(CliTest):
    """exFAT, SMB, some of FUSE. With and without a rename that replaces nothing."""
    CALLS, ERROR = "link", errno.EPERM

    def odd(self, *arguments, **options):
        return moesweep(*arguments, env=without(self.folder, self.CALLS, self.ERROR), **options)

    def test_sweep_completes_and_resumes(self):
        digest = moesweep("verify", self.sweep(run="reference")).stdout
        run = self.folder / "run"
        for _ in range(2):
            self.assert_ends(self.odd("run", self.job(), "--run-dir", run), COMPLETE)
        self.assertEqual(moesweep("verify", run).stdout, digest)

    def test_run_directory_has_one_owner(self):
        run = self.folder / "run"
        job = self.job()
        with self.running(job, run):
            self.assert_refused(self.odd("run", job, "--run-dir", run), RUN_DIRECTORY, "is in use by")

    def test_files_that_exist_are_not_replaced(self):
        run = self.sweep()
        out = self.folder / "tables.sqlite"
        self.assert_ends(self.odd("export", run, out, "--to", "sqlite", "--quiet"), COMPLETE)
        with self.unchanged(self.folder):
            done = self.odd("export", run, out, "--to", "sqlite", "--quiet")
        self.assertIn("exists", done.stderr)
        self.assertNotEqual(done.returncode, COMPLETE)


class NoRenameWithoutReplacing(NoHardLinks):
    """And no renameat2 either: O_EXCL decides."""
    CALLS, ERROR = "link,renameat2", errno.EOPNOTSUPP


class NoFsyncOfDirectories(CliTest):
    def run_with(self, error):
        run = self.folder / "run"
        return moesweep("run", self.job(), "--run-dir", run, env=without(self.folder, "fsync-directory", error))

    def test_einval_is_a_warning_and_the_sweep_completes(self):
        for error in (errno.EINVAL, errno.EOPNOTSUPP):
            with self.subTest(error=errno.errorcode[error]):
                done = self.run_with(error)
                self.assert_ends(done, COMPLETE)
                warnings = [line for line in done.stderr.splitlines() if "cannot fsync directories" in line]
                self.assertEqual(len(warnings), 1, done.stderr)
                self.assertRegex(warnings[0], r"\Amoesweep: warning: /.*: this file system cannot fsync directories \(.+\): "
                                              r"a power cut may lose files")
                shutil.rmtree(self.folder / "run")

    def test_eio_is_an_error(self):
        done = self.run_with(errno.EIO)
        self.assert_ends(done, IO_ERROR)
        self.assertIn("cannot fsync directory: Input/output error", done.stderr)


class TroubleThatPasses(CliTest):
    """The job is read before BLAS is chosen, and again: what fails then must not choose another BLAS."""

    def test_at_the_first_look_at_the_job_ends_with_74(self):
        run = self.folder / "run"
        for error in (errno.EIO, errno.EMFILE, errno.ESTALE):
            done = moesweep("run", self.job(), "--run-dir", run,
                            env=disturbance(self.folder, error, 1, "open"))
            self.assert_refused(done, IO_ERROR, "job.toml", os.strerror(error))
            self.assertFalse(run.exists())
        self.assert_ends(moesweep("run", self.job(), "--run-dir", run), COMPLETE)


class ClosedDescriptors(CliTest):
    """As a daemon starts programs: files must not be opened as standard input, output or error."""

    def test_change_nothing(self):
        run = self.sweep()
        for closed in ((0, 2), (0, 1, 2), (2,)):
            def close():
                for descriptor in closed:
                    os.close(descriptor)

            with self.subTest(closed=closed):
                out = self.folder / f"out{len(closed)}"
                done = moesweep("export", run, out, "--to", "csv", preexec_fn=close)
                self.assert_ends(done, COMPLETE)
                self.assertGreater(len(list(out.iterdir())), 0)


class LimitOnMemory(CliTest):
    """BLAS starts its threads when it is loaded; each may wait for memory for ever."""

    def test_never_keeps_a_program_from_ending(self):
        run = self.sweep()
        for limit_bytes in (180 << 20, 200 << 20, 220 << 20):
            def limit():
                resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

            for arguments in (("--help",), ("status", run), ("verify", run), ("export", run, self.folder / "out", "--to", "csv")):
                with self.subTest(limit_bytes=limit_bytes, arguments=arguments):
                    done = moesweep(*arguments, preexec_fn=limit, timeout=60)
                    self.assertIn(done.returncode, (COMPLETE, IO_ERROR), done.stderr)
                    shutil.rmtree(self.folder / "out", ignore_errors=True)


class TroubleWhileHdf5Reads(CliTest):
    """A cache that can't be read now may be a good one: 74, and never "is damaged"; what passes is waited for."""
    LASTING = (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOMEM)
    PASSING = (errno.EAGAIN, errno.EINTR)
    POINTS = 12

    def setUp(self):
        super().setUp()
        self.caches = self.folder / "caches"
        self.caches.mkdir()
        arrays = self.folder / "arrays.npz"
        states = np.random.default_rng(3).standard_normal((60, 8), np.float32)
        np.savez(arrays, labels=np.arange(60) % 2, split=(np.arange(60) // 2 % 3).astype(np.int8), **{"L1/mean": states})
        self.assert_ends(moesweep("import-cache", arrays, self.caches / "v.h5", "--quiet"), COMPLETE)
        self.heads = self.folder / "heads.toml"
        self.heads.write_text(f'schema = 1\nkind = "heads"\n[cache]\ndir = "{self.caches}"\nvariants = ["v"]\nbaseline = "v"\n'
                              '[heads]\nlayers = ["L1"]\npooling = ["mean"]\nepochs = 1\nseeds = { first = 0, count = 1 }\nforbidden = { truth = "0", predicted = "1" }\n')

    def disturbed(self, do, at, log=None, **options):
        run = self.folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        return moesweep("run", self.heads, "--run-dir", run, env=disturbance(self.caches, do, at, "open,pread", log), **options)

    def points(self):
        """Numbers of calls, from the first to the last."""
        # By a pipe: the process that reads HDF5 may write no files.
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 1 << 20)
        with open(reading) as log:
            self.assert_ends(self.disturbed(None, None, log=f"/dev/fd/{writing}", pass_fds=(writing,)), COMPLETE)
            os.close(writing)
            calls = max(int(line.split()[0]) for line in log)  # a child counts on from its parent, for itself
        self.assertGreater(calls, self.POINTS, "HDF5 reads otherwise than by open and pread")
        return sorted({1 + i * (calls - 1) // (self.POINTS - 1) for i in range(self.POINTS)})

    def test_that_lasts_is_74(self):
        for i, at in enumerate(self.points()):
            error = self.LASTING[i % len(self.LASTING)]
            with self.subTest(call=at, error=errno.errorcode[error]):
                done = self.disturbed(f"{error}+", at)
                self.assertEqual(done.returncode, IO_ERROR, done.stderr)
                self.assertIn("v.h5", done.stderr)
                self.assertIn(os.strerror(error), done.stderr)
                self.assertNotRegex(done.stderr, "damaged|truncated|not a readable")

    def test_that_passes_is_not_seen(self):
        for i, at in enumerate(self.points()):
            error = self.PASSING[i % len(self.PASSING)]
            with self.subTest(call=at, error=errno.errorcode[error]):
                self.assert_ends(self.disturbed(error, at), COMPLETE)

    def test_at_the_creation_of_a_cache_tells_no_false_remedy(self):
        arrays, out = self.folder / "arrays.npz", self.folder / "out"
        out.mkdir()
        command = ("import-cache", arrays, out / "v.h5", "--quiet")
        log = self.folder / "calls"
        self.assert_ends(moesweep(*command, env=disturbance(out, calls="open", log=log)), COMPLETE)
        calls = len(log.read_text().splitlines())
        self.assertGreaterEqual(calls, 3)  # the temporary file, HDF5's own opening of it, and the folder
        for i in range(calls):
            (out / "v.h5").unlink(missing_ok=True)
            error = self.LASTING[i % len(self.LASTING)]
            with self.subTest(call=i + 1, error=errno.errorcode[error]):
                done = moesweep(*command, env=disturbance(out, f"{error}+", i + 1, "open"))
                self.assert_refused(done, IO_ERROR, os.strerror(error))
                self.assertNotIn("free some space", done.stderr)


class ShortMemory(CliTest):
    """HDF5 crashes, or tells of damage, where memory is short: with as little as the program can start with, and more."""
    STEP = 512 << 10
    STEPS = 48

    def limited(self, limit_bytes, *arguments):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

        return moesweep(*arguments, preexec_fn=limit, env={"OPENBLAS_NUM_THREADS": "1"})

    def test_is_74_or_nothing_that_is_seen(self):
        run = self.sweep()
        least = next((limit for limit in range(32 << 20, 2 << 30, 1 << 20)
                      if self.limited(limit, "--version").returncode == COMPLETE), None)
        if least is None:
            self.skipTest("the program does not start with 2 GiB of addresses: sanitizers reserve more")
        refused = 0
        for i in range(self.STEPS):
            limit = least + i * self.STEP
            with self.subTest(limit=limit):
                done = self.limited(limit, "verify", run)
                if done.returncode != COMPLETE:
                    refused += 1
                    self.assert_refused(done, IO_ERROR)
                    self.assertNotIn("damaged", done.stderr)
        self.assertGreater(refused, 0, "it was never short")


class InterruptedCalls(CliTest):
    """EINTR and EAGAIN, as servers of network file systems answer: the call is made again."""
    INTERRUPTIONS = (errno.EINTR, errno.EAGAIN)

    def reached(self, folder, calls, arguments):
        """How many of these calls the command makes below the folder."""
        log = self.folder / "calls"
        log.unlink(missing_ok=True)
        self.assert_ends(moesweep(*arguments, env=disturbance(folder, calls=calls, log=log)), COMPLETE)
        return len(log.read_text().splitlines()) if log.exists() else 0

    def assert_made_again(self, folder, calls, arguments, before=lambda: None):
        before()
        count = self.reached(folder, calls, arguments)
        self.assertGreater(count, 0, f"{arguments[0]} makes no {calls}")
        for error in self.INTERRUPTIONS:
            for at in sorted({1, 2, 3, (count + 1) // 2, count} & set(range(1, count + 1))):
                with self.subTest(calls=calls, error=errno.errorcode[error], at=at):
                    before()
                    self.assert_ends(moesweep(*arguments, env=disturbance(folder, error, at, calls)), COMPLETE)

    def test_reading_a_checkpoint(self):
        checkpoint = self.copy_of_use_lite()
        for calls in ("stat", "lstat", "open", "openat", "readdir", "fstat", "realpath"):
            self.assert_made_again(checkpoint, calls, ("inspect", checkpoint))

    def test_making_and_reading_a_run_directory(self):
        run = self.folder / "run"
        job = self.job()
        for calls in ("mkdir", "stat", "openat", "readdir"):
            self.assert_made_again(run, calls, ("run", job, "--run-dir", run, "--quiet"),
                                   lambda: shutil.rmtree(run, ignore_errors=True))


    def test_where_hdf5_follows_links(self):
        cache, job = hidden_cache(self.folder)
        for error in self.INTERRUPTIONS:  # not counted first: the process that reads it may write no log
            for at in (1, 2, 3):
                self.assert_ends(moesweep("plan", job, env=disturbance(cache, error, at, "lstat")), COMPLETE)
        out = self.folder / "out"
        out.mkdir()
        self.assert_made_again(out, "lstat", ("import-cache", cache.with_suffix(".npz"), out / "c.h5", "--quiet"),
                               lambda: (out / "c.h5").unlink(missing_ok=True))


class TroubleWhileLooking(CliTest):
    """What can't be looked at is never taken for what isn't there."""

    def assert_is_of_the_system(self, below, calls, error, arguments):
        done = moesweep(*arguments, env=without(below, calls, error))
        self.assert_refused(done, IO_ERROR, os.strerror(error))

    def test_in_a_cache_of_hugging_face(self):
        model = self.folder / "models--org--name"
        for commit in ("aaaa", "bbbb"):
            snapshot = model / "snapshots" / commit
            snapshot.mkdir(parents=True)
            write_safetensors(model / "blobs" / commit, random_matrices(1, 64, 64))
            (snapshot / "model.safetensors").symlink_to(f"../../blobs/{commit}")
        (model / "refs").mkdir()
        (model / "refs/main").write_text("bbbb")
        inspect = ("inspect", model)
        self.assert_ends(moesweep(*inspect), COMPLETE)
        self.assert_is_of_the_system(model / "snapshots", "readdir", errno.EIO, inspect)
        self.assert_is_of_the_system(model / "snapshots", "openat,opendir", errno.ESTALE, inspect)
        self.assert_is_of_the_system(model / "refs/main", "stat", errno.EIO, inspect)

    def test_at_the_marker_of_an_unfinished_checkpoint(self):
        checkpoint = self.copy_of_use_lite()
        marker = checkpoint / ".moesweep-unfinished"
        marker.write_text('{"recipe": "twin", "writer": "nobody"}')
        inspect = ("inspect", checkpoint)
        self.assert_refused(moesweep(*inspect), BAD_INPUT, "is not finished")
        self.assert_is_of_the_system(marker, "lstat", errno.EIO, inspect)

    def test_where_hdf5_follows_links(self):
        """It doesn't say what the system answered."""
        cache, job = hidden_cache(self.folder)
        self.assert_is_of_the_system(cache, "lstat", errno.EIO, ("plan", job))
        arrays = cache.with_suffix(".npz")
        out = self.folder / "out"
        out.mkdir()
        for error in (errno.EIO, errno.ESTALE):
            self.assert_is_of_the_system(out, "lstat", error, ("import-cache", arrays, out / "c.h5"))
            self.assertEqual(list(out.iterdir()), [])

    def test_where_a_run_directory_is_made(self):
        run = self.folder / "run"
        for calls, error in (("mkdir", errno.EIO), ("stat", errno.ESTALE)):
            self.assert_is_of_the_system(run, calls, error, ("run", self.job(), "--run-dir", run, "--quiet"))


class LimitOnFileSizes(CliTest):
    def limited(self, limit_bytes, *arguments):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))

        return moesweep(*arguments, preexec_fn=limit)

    def test_is_a_full_disk_and_the_resume_completes(self):
        run = self.folder / "run"
        for limit_bytes in (512, 8192):
            done = self.limited(limit_bytes, "run", self.job(), "--run-dir", run)
            self.assert_ends(done, IO_ERROR)
            self.assertRegex(done.stderr, r"(?m)^moesweep: .*File too large; raise the limit on file sizes \(ulimit -f\)")
        self.assert_ends(moesweep("run", self.job(), "--run-dir", run), COMPLETE)

    def test_stops_an_export_and_leaves_nothing(self):
        run = self.sweep()
        before = {path.name for path in self.folder.iterdir()}
        for form in ("csv", "jsonl", "sqlite", "npz", "markdown"):
            with self.subTest(form=form):
                done = self.limited(600, "export", run, self.folder / "out", "--to", form)
                self.assert_ends(done, IO_ERROR)
                shutil.rmtree(self.folder / "out", ignore_errors=True)
                self.assertEqual({path.name for path in self.folder.iterdir()}, before)


if __name__ == "__main__":
    unittest.main()

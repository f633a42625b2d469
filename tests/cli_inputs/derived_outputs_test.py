"""`aggregate`, `verify` and `export`: what they refuse, and that they never touch a segment."""
import json
import resource
import shutil
import signal
import unittest

import h5py
from cli import (BAD_INPUT, BAD_USAGE, COMPLETE, RUN_DIRECTORY, STOPPED_EARLY, CliTest, moesweep, random_matrices,
                 segments, write_safetensors)


class Verify(CliTest):
    def test_sound_run_prints_its_digest(self):
        run = self.sweep()
        with self.unchanged(run):
            done = moesweep("verify", run)
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stdout, r"\Aresults digest [0-9a-f]{32}\n\Z")
        self.assertEqual(done.stderr, "")

    def test_tampered_results_are_found_and_aggregate_mends_them(self):
        run = self.sweep()
        before = moesweep("verify", run).stdout
        with h5py.File(run / "results.h5", "r+") as results:
            results["sensitivity/tensors/bits"][0] = 3
        kept = segments(run)
        done = moesweep("verify", run)
        self.assertIn("results.h5", done.stderr)
        self.assertIn("moesweep aggregate", done.stderr)
        self.assertRegex(done.stderr, r"\Amoesweep: [^\n]+\n\Z")
        self.assert_ends(done, BAD_INPUT)
        self.assert_ends(moesweep("aggregate", run), COMPLETE)
        self.assertEqual(moesweep("verify", run).stdout, before)
        self.assertEqual(segments(run), kept)

    def test_results_that_are_no_hdf5_are_found(self):
        run = self.sweep()
        for content in (b"", b"garbage", (run / "results.h5").read_bytes()[:5000]):
            (run / "results.h5").write_bytes(content)
            with self.unchanged(run):
                done = moesweep("verify", run)
            self.assert_ends(done, BAD_INPUT)
            self.assertRegex(done.stderr, r"\Amoesweep: [^\n]*results.h5: does not match its checksum; [^\n]*moesweep aggregate[^\n]*\n\Z")

    def test_missing_results_are_found(self):
        run = self.sweep()
        (run / "results.h5").unlink()
        done = moesweep("verify", run)
        self.assert_ends(done, BAD_INPUT)
        self.assertRegex(done.stderr, r"\Amoesweep: [^\n]*results.h5[^\n]+\n\Z")

    def test_tampered_segment_is_found_by_name_and_the_resume_mends_it(self):
        run = self.sweep()
        digest = moesweep("verify", run).stdout
        [segment] = (run / "segments").glob("*.h5")
        raw = bytearray(segment.read_bytes())
        raw[len(raw) // 2] ^= 1
        segment.write_bytes(raw)
        with self.unchanged(run):
            done = moesweep("verify", run)
            self.assert_refused(done, STOPPED_EARLY, segment.name)
            status = json.loads(moesweep("status", run, "--json").stdout)
            self.assertEqual((status["rotten_segments"], status["units_done"]), (1, 0))
        self.assert_ends(moesweep("run", self.job(), "--run-dir", run), COMPLETE)
        self.assertTrue((run / "segments/quarantine" / segment.name).exists())
        self.assertEqual(moesweep("verify", run).stdout, digest)


class DamagedResults(CliTest):
    """What commands that read results do with a file that is not the one that was written."""

    COMMANDS = (("correlate",), ("allocate", "--target", "5bpw", "--architecture", "generic"))

    def damage(self, run):
        with h5py.File(run / "results.h5", "r+") as results:
            results["sensitivity/tensors/composite"][0] = 0.5

    def assert_warns_once(self, done, problem):
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stderr, rf"\Amoesweep: warning: [^\n]*results.h5 {problem}: it was made again from the segments\n\Z")

    def test_they_are_made_again_with_one_warning(self):
        run = self.sweep()
        sound = (run / "results.h5").read_bytes()
        for name, *options in self.COMMANDS:
            expected = moesweep(name, run, "--json", *options).stdout
            self.damage(run)
            done = moesweep(name, run, "--json", *options)
            self.assert_warns_once(done, "does not match its checksum")
            self.assertEqual(done.stdout, expected)
            self.assertEqual((run / "results.h5").read_bytes(), sound)
            (run / "results.h5").unlink()
            self.assert_warns_once(moesweep(name, run, *options), "does not exist")

    def test_less_than_the_whole_sweep_takes_no_place(self):
        run = self.sweep()
        [segment] = (run / "segments").glob("*.h5")
        segment.write_bytes(segment.read_bytes()[:-1])
        self.damage(run)
        for name, *options in self.COMMANDS:
            with self.unchanged(run):
                self.assert_refused(moesweep(name, run, *options), BAD_INPUT, "results.h5", segment.name, "moesweep aggregate")

    def test_sound_results_of_another_job_are_not_believed(self):
        run = self.sweep()
        sound = (run / "results.h5").read_bytes()
        other = self.sweep(None, "other", "--set", "sensitivity.bits=[4]")
        for name, *options in self.COMMANDS:
            expected = moesweep(name, run, *options).stdout
            shutil.copyfile(other / "results.h5", run / "results.h5")
            done = moesweep(name, run, *options)
            self.assert_warns_once(done, "is of another job than this run directory")
            self.assertEqual(done.stdout, expected)
            self.assertEqual((run / "results.h5").read_bytes(), sound)

    def test_where_nothing_can_be_written_they_are_refused(self):
        run = self.sweep()
        self.damage(run)
        # Where the new file would be renamed to.
        damaged = (run / "results.h5").read_bytes()
        with self.unchanged(run):
            done = self.without_space("correlate", run)
        self.assert_refused(done, BAD_INPUT, "results.h5", "was not made again", "moesweep aggregate")
        self.assertEqual((run / "results.h5").read_bytes(), damaged)

    def without_space(self, *arguments):
        """As on a full disk: no file may grow."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        return moesweep(*arguments, preexec_fn=limit)

    def test_an_older_file_is_refused_by_name_and_aggregate_mends_it(self):
        run = self.sweep()
        sound = (run / "results.h5").read_bytes()
        (run / "results.h5").write_bytes(sound[512:])
        for name, *options in self.COMMANDS:
            with self.unchanged(run):
                self.assert_refused(moesweep(name, run, *options), BAD_INPUT, "results.h5", "has no checksum", "moesweep aggregate")
        self.assert_ends(moesweep("aggregate", run), COMPLETE)
        self.assertEqual((run / "results.h5").read_bytes(), sound)

    def test_other_programs_read_them_behind_the_checksum(self):
        run = self.sweep()
        data = (run / "results.h5").read_bytes()
        lines = data[:512].rstrip(b"\0").decode().splitlines()
        self.assertEqual(lines[:2], ["moesweep results 1", f"bytes {len(data) - 512}"])
        self.assertRegex(lines[2], r"\Axxh3-128 [0-9a-f]{32}\Z")
        with h5py.File(run / "results.h5") as results:
            self.assertEqual(results.userblock_size, 512)
            self.assertGreater(len(results["sensitivity/tensors/name"]), 0)


class ForeignSegments(CliTest):
    def test_segment_of_another_sweep_is_refused_by_name(self):
        run, other = self.sweep(), self.sweep(None, "other", "--set", "sensitivity.bits=[4]")
        [foreign] = (other / "segments").glob("*.h5")
        shutil.copyfile(foreign, run / "segments" / foreign.name)
        for name in ("aggregate", "verify"):
            with self.subTest(name), self.unchanged(run):
                self.assert_refused(moesweep(name, run), BAD_INPUT, foreign.name, "another sweep")
        with self.unchanged(run / "segments"):
            self.assert_refused(moesweep("run", self.job(), "--run-dir", run), BAD_INPUT, foreign.name, "another sweep")
        self.assert_ends(moesweep("status", run, "--exit-code"), BAD_INPUT)
        (run / "segments" / foreign.name).unlink()
        self.assert_ends(moesweep("run", self.job(), "--run-dir", run), COMPLETE)


class Export(CliTest):
    def incomplete_run(self):
        checkpoint = self.folder / "model.safetensors"
        write_safetensors(checkpoint, random_matrices(16, 700, 700))
        run = self.folder / "run"
        with self.running(self.job(checkpoint), run) as sweep:
            sweep.send_signal(signal.SIGUSR2)
            sweep.send_signal(signal.SIGCONT)
            self.assertEqual(sweep.wait(60), STOPPED_EARLY)
        return run

    def test_run_that_was_not_aggregated_is_refused_with_the_remedy(self):
        run, out = self.incomplete_run(), self.folder / "out"
        with self.unchanged(run):
            self.assert_refused(moesweep("export", run, out, "--to", "csv"), BAD_INPUT, "results.h5", "moesweep aggregate")
        self.assertFalse(out.exists())

    def test_incomplete_results_are_exported_with_a_warning(self):
        run, out = self.incomplete_run(), self.folder / "out"
        done = moesweep("aggregate", run)
        self.assert_ends(done, COMPLETE)
        self.assertIn("incomplete", done.stdout)
        self.assertNotIn("results digest", done.stdout)
        done = moesweep("export", run, out, "--to", "csv")
        self.assert_ends(done, COMPLETE)
        self.assertRegex(done.stderr, r"\Amoesweep: warning: [^\n]*results.h5[^\n]* of 17 units[^\n]*\n\Z")

    def test_unknown_table_is_refused_with_the_nearest_name(self):
        run, out = self.sweep(), self.folder / "out"
        done = moesweep("export", run, out, "--to", "csv", "--table", "sensitivity/tensor")
        self.assert_refused(done, BAD_USAGE, '"sensitivity/tensor"', '"sensitivity/tensors"')
        self.assertFalse(out.exists())

    def test_unknown_format_is_refused_with_those_there_are(self):
        done = moesweep("export", self.sweep(), self.folder / "out", "--to", "xml")
        self.assert_refused(done, BAD_USAGE, '"xml"', "csv", "jsonl", "sqlite")

    def test_existing_file_is_refused_unless_asked_for(self):
        run = self.sweep()
        for form in ("csv", "jsonl", "sqlite"):
            out = self.folder / f"units.{form}"
            out.write_text("precious")
            arguments = ("export", run, out, "--to", form, "--table", "units")
            self.assert_refused(moesweep(*arguments), BAD_USAGE, out, "exists already")
            self.assertEqual(out.read_text(), "precious")
            self.assert_ends(moesweep(*arguments, "--overwrite"), COMPLETE)
            self.assertNotEqual(out.read_bytes(), b"precious")

    def test_one_existing_file_of_many_leaves_the_others_unwritten(self):
        run, out = self.sweep(), self.folder / "tables"
        out.mkdir()
        (out / "units.csv").write_text("precious")
        with self.unchanged(out):
            self.assert_refused(moesweep("export", run, out, "--to", "csv"), BAD_USAGE, "units.csv")

    def test_folder_that_does_not_exist_is_refused(self):
        out = self.folder / "none" / "units.csv"
        done = moesweep("export", self.sweep(), out, "--to", "sqlite")
        self.assert_refused(done, BAD_USAGE, out.parent)

    def test_export_leaves_the_run_alone(self):
        run = self.sweep()
        with self.unchanged(run):
            for form in ("csv", "jsonl", "sqlite"):
                self.assert_ends(moesweep("export", run, self.folder / form, "--to", form), COMPLETE)


if __name__ == "__main__":
    unittest.main()

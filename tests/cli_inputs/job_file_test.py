"""Job files that are wrong end with 78 and name the place, and no run directory appears."""
import unittest

from cli import BAD_JOB, CliTest, moesweep


class JobFile(CliTest):
    def refused(self, job, *named, arguments=()):
        """By `plan` and `run` alike."""
        run = self.folder / "run"
        self.assert_refused(moesweep("plan", job, *arguments), BAD_JOB, *named)
        self.assert_refused(moesweep("run", job, "--run-dir", run, *arguments), BAD_JOB, *named)
        self.assertFalse(run.exists())

    def test_missing_job_file_is_refused(self):
        self.refused(self.folder / "none.toml", "none.toml", "No such file")

    def test_folder_as_job_file_is_refused(self):
        self.refused(self.folder, self.folder, "not a regular file")

    def test_misspelt_key_is_refused_with_line_and_nearest_name(self):
        job = self.job()
        job.write_text(job.read_text() + "[sensitivity]\nbitts = [4]\n")
        line = job.read_text().splitlines().index("bitts = [4]") + 1
        self.refused(job, f"{job}:{line}: ", '"sensitivity.bitts"', '"sensitivity.bits"')

    def test_misspelt_override_is_refused_with_nearest_name(self):
        self.refused(self.job(), "--set: ", '"sensitivity.bits"', arguments=("--set", "sensitivity.bit=[4]"))

    def test_broken_toml_is_refused_with_its_line(self):
        job = self.job()
        job.write_text(job.read_text() + "[sensitivity\n")
        self.refused(job, f"{job}:{len(job.read_text().splitlines())}: ", "TOML")

    def test_text_that_is_not_utf8_is_refused(self):
        job = self.job()
        job.write_bytes(job.read_bytes() + b"name = \"\xff\"\n")
        self.refused(job, "0xff", "UTF-8")

    def test_wrong_type_is_refused_with_its_line(self):
        self.refused(self.job(more="name = 7"), "job.toml:3: ", "name")

    def test_missing_checkpoint_path_is_refused(self):
        job = self.folder / "job.toml"
        job.write_text('schema = 1\nkind = "sensitivity"\n')
        self.refused(job, job, "checkpoint.path")

    def test_unknown_instruction_set_is_refused(self):
        done = moesweep("run", self.job(), "--run-dir", self.folder / "run", "--set", "resources.isa=z80")
        self.assert_refused(done, BAD_JOB, "z80")
        self.assertFalse((self.folder / "run").exists())

    def test_bad_cluster_file_is_refused(self):
        self.assert_refused(moesweep("plan", self.job(), "--cluster", self.folder / "none.toml"), BAD_JOB, "none.toml")

    def test_unit_beyond_the_memory_is_refused_by_name(self):
        self.refused(self.job(), "sensitivity/", "needs ", "resources.memory",
                     arguments=("--set", "resources.memory=1MiB"))


if __name__ == "__main__":
    unittest.main()

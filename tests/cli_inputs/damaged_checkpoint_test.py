"""Checkpoints that are damaged end with 65 and name the file, on a fresh start and on a resume."""
import json
import unittest

from cli import BAD_INPUT, CliTest, moesweep, random_matrices, write_safetensors


class DamagedCheckpoint(CliTest):
    def setUp(self):
        super().setUp()
        self.checkpoint = self.copy_of_use_lite()
        self.shard = self.checkpoint / "model-00002-of-00002.safetensors"
        self.index = self.checkpoint / "model.safetensors.index.json"

    def refused(self, *named):
        """By a resume, which leaves the run alone, by a start, which creates nothing, and by inspect."""
        resumed = moesweep("run", self.job(self.checkpoint), "--run-dir", self.run_directory)
        self.assert_refused(resumed, BAD_INPUT, *named)
        fresh = self.folder / "fresh"
        self.assert_refused(moesweep("run", self.job(self.checkpoint), "--run-dir", fresh), BAD_INPUT, *named)
        self.assertFalse(fresh.exists())
        inspected = moesweep("inspect", self.checkpoint, "--quiet")  # shows what is there of an incomplete one
        self.assert_refused(inspected, BAD_INPUT, *named)

    def damaged(self):
        """Sweeps the sound checkpoint first; the caller damages it inside."""
        self.run_directory = self.sweep(self.job(self.checkpoint))
        return self.unchanged(self.run_directory)

    def test_truncated_shard_is_refused_by_name(self):
        with self.damaged():
            self.shard.write_bytes(self.shard.read_bytes()[:-1000])
            self.refused(self.shard.name)

    def test_shard_cut_inside_its_header_is_refused_by_name(self):
        with self.damaged():
            self.shard.write_bytes(self.shard.read_bytes()[:100])
            self.refused(self.shard.name)

    def test_missing_shard_is_refused_by_name(self):
        with self.damaged():
            self.shard.unlink()
            self.refused(self.shard.name)

    def test_overlapping_offsets_are_refused_by_tensor(self):
        with self.damaged():
            self.overlap_offsets()
            self.refused(self.shard.name, "overlaps")

    def overlap_offsets(self):
        raw = self.shard.read_bytes()
        length = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8:8 + length])
        tensors = sorted((entry["data_offsets"], name) for name, entry in header.items() if name != "__metadata__")
        (begin, end), name = tensors[1]
        header[name]["data_offsets"] = [begin - 2, end - 2]
        text = json.dumps(header).encode()
        self.shard.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length:])

    def test_index_that_points_outside_is_refused(self):
        secret = self.folder / "secret.safetensors"
        secret.write_bytes(self.shard.read_bytes())
        index = json.loads(self.index.read_text())
        with self.damaged():
            for outside in ("../secret.safetensors", str(secret)):
                with self.subTest(outside):
                    index["weight_map"]["pooler.dense.weight"] = outside
                    self.index.write_text(json.dumps(index))
                    self.refused(outside)

    def test_index_that_links_out_of_the_checkpoint_is_refused(self):
        with self.damaged():
            outside = self.folder / "outside.json"
            self.index.rename(outside)
            self.index.symlink_to(outside)
            self.refused(self.index.name)

    def test_index_that_is_no_json_is_refused_by_name(self):
        with self.damaged():
            self.index.write_text("{")
            self.refused(self.index.name)

    def test_checkpoint_without_tensors_to_sweep_is_refused(self):
        done = moesweep("run", self.job(self.checkpoint), "--run-dir", self.folder / "fresh",
                        "--set", "checkpoint.include=[\"nothing.*\"]")
        self.assert_refused(done, BAD_INPUT, "nothing.*")

    def test_missing_checkpoint_is_refused_by_path(self):
        done = moesweep("run", self.job(self.folder / "none"), "--run-dir", self.folder / "fresh")
        self.assert_refused(done, BAD_INPUT, self.folder / "none")


if __name__ == "__main__":
    unittest.main()

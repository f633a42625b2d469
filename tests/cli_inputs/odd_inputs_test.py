"""What users give in place of a checkpoint's folder, and element types that are valid and not decoded: each works where it
is certain what is meant, and is named with what to do where it is not."""
import json
import unittest

import numpy as np

from cli import BAD_INPUT, COMPLETE, CliTest, moesweep, random_matrices, write_safetensors

# Element type, shape and bytes of tensors that are known, sized and not measured.
ODD = {"F8_E8M0": ((64, 64), 4096), "F8_E4M3FNUZ": ((64, 64), 4096), "F8_E5M2FNUZ": ((64, 64), 4096),
       "F4": ((64, 66), 2112), "F6_E2M3": ((64, 64), 3072), "F6_E3M2": ((64, 68), 3264), "C64": ((64, 64), 32768)}


class GivenPaths(CliTest):
    def setUp(self):
        super().setUp()
        self.checkpoint = self.folder / "model"
        write_safetensors(self.checkpoint / "model.safetensors", random_matrices(1, 64, 64))

    def names(self, path):
        """Of the tensors that inspect shows."""
        done = moesweep("inspect", path, "--json")
        self.assert_ends(done, COMPLETE)
        return [tensor["name"] for tensor in json.loads(done.stdout)["list"]]

    def test_an_index_means_its_folder(self):
        index = self.checkpoint / "model.safetensors.index.json"
        index.write_text('{"weight_map": {"layers.0.weight": "model.safetensors"}}')
        self.assertEqual(self.names(index), ["layers.0.weight"])
        self.sweep(self.job(index))

    def test_pointers_and_pages_say_what_they_are(self):
        file = self.checkpoint / "model.safetensors"
        for text, what in ((f"version https://git-lfs.github.com/spec/v1\noid sha256:{7:064}\nsize 4976698672\n", "git lfs pull"),
                           ("<!DOCTYPE html>\n<html><body>gated</body></html>\n", "is an HTML page"),
                           ("Access to model x is restricted", "is text that begins with"),
                           ("", "is shorter than the 8 bytes")):
            file.write_text(text)
            for place in (self.checkpoint, file):
                self.assert_refused(moesweep("inspect", place), BAD_INPUT, "model.safetensors", what)
            self.assert_refused(moesweep("run", self.job(self.checkpoint), "--run-dir", self.folder / "run"), BAD_INPUT, what)

    def test_a_pointer_in_the_place_of_config_json_says_what_it_is(self):
        config = self.checkpoint / "config.json"
        for text, what, remedy in (
                ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 663\n", "is a Git LFS pointer", "git lfs pull"),
                ("\ufeff<!DOCTYPE html>\n<html></html>\n", "is an HTML page", "download the file again")):
            config.write_text(text)
            run = self.folder / what.replace(" ", "-")
            swept = moesweep("run", self.job(self.checkpoint), "--run-dir", run)
            self.assert_ends(swept, COMPLETE)
            self.assertIn(f"config.json {what}", swept.stderr + swept.stdout)
            self.assertIn(remedy, swept.stderr + swept.stdout)
            self.assert_refused(moesweep("allocate", run, "--method", "uniform"), BAD_INPUT, f"config.json: {what}", remedy)

    def test_gguf_files_and_folders_say_what_they_are(self):
        gguf = self.folder / "gguf/m.gguf"
        gguf.parent.mkdir()
        gguf.write_bytes(b"GGUF\3\0\0\0" + bytes(64))
        for place in (gguf, gguf.parent):
            self.assert_refused(moesweep("inspect", place), BAD_INPUT, place, "GGUF file", "give the safetensors checkpoint")
            self.assert_refused(moesweep("plan", self.job(place)), BAD_INPUT, place, "GGUF file")

    def test_a_file_of_macos_is_no_model(self):
        apple = b"\0\5\26\7\0\2\0\0Mac OS X        " + bytes(4072)
        file = self.checkpoint / "._model.safetensors"
        file.write_bytes(apple)
        done = moesweep("inspect", self.checkpoint)
        self.assert_ends(done, COMPLETE)
        self.assertIn("._model.safetensors (written by macOS", done.stdout)
        self.assert_refused(moesweep("inspect", file), BAD_INPUT, "AppleDouble", "name the file without ._")
        for name in ("._tokenizer.model", "tokenizer.model"):
            (self.checkpoint / name).write_bytes(apple)
        run, plan = self.sweep(self.job(self.checkpoint)), self.folder / "plan.json"
        self.assert_ends(moesweep("allocate", run, "--method", "uniform", "--architecture", "generic", "--out", plan), COMPLETE)
        self.assert_ends(moesweep("quantize", run, self.folder / "out", "--plan", plan, "--to", "mlx"), COMPLETE)
        self.assertEqual([path.name for path in (self.folder / "out").glob("*.model")], ["tokenizer.model"])

    def test_a_model_of_the_hugging_face_cache_means_its_main_snapshot(self):
        model = self.folder / "hub/models--org--name"
        for commit in ("aaaa", "bbbb"):
            snapshot = model / "snapshots" / commit
            snapshot.mkdir(parents=True)
            blob = model / "blobs" / commit
            write_safetensors(blob, {f"{commit}.weight": np.ones((64, 64), np.float32)})
            (snapshot / "model.safetensors").symlink_to(f"../../blobs/{commit}")
        several = moesweep("inspect", model)
        self.assert_refused(several, BAD_INPUT, "2 snapshots", "aaaa, bbbb")
        self.assert_refused(moesweep("inspect", model.parent), BAD_INPUT, "whole Hugging Face cache", model.name)
        (model / "refs").mkdir()
        (model / "refs/main").write_text("bbbb")
        self.assertEqual(self.names(model), ["bbbb.weight"])
        run = self.folder / "run"
        done = moesweep("run", self.job(model), "--run-dir", run)
        self.assert_ends(done, COMPLETE)
        self.assertIn(f"its snapshot {model}/snapshots/bbbb is read", done.stderr)
        plan = self.folder / "plan.json"
        self.assert_ends(moesweep("allocate", run, "--method", "uniform", "--architecture", "generic", "--out", plan), COMPLETE)
        self.assert_ends(moesweep("quantize", run, self.folder / "out", "--plan", plan, "--to", "mlx"), COMPLETE)
        verified = moesweep("verify-plan", plan, self.folder / "out", "--against", model)
        self.assert_ends(verified, COMPLETE)

    def test_one_shard_of_several_is_read_alone_and_says_so(self):
        file = self.checkpoint / "model-00001-of-00002.safetensors"
        (self.checkpoint / "model.safetensors").rename(file)
        done = moesweep("inspect", file)
        self.assert_ends(done, COMPLETE)
        self.assertIn("the 1 other shards beside model-00001-of-00002.safetensors", done.stdout)
        self.assert_refused(moesweep("plan", self.job(self.checkpoint)), BAD_INPUT, "model-00002-of-00002.safetensors")

    def test_other_formats_and_the_folder_above_are_named(self):
        self.assert_refused(moesweep("inspect", self.folder), BAD_INPUT, "folders in it do (model)", "name one of them")
        (self.checkpoint / "model.safetensors").rename(self.checkpoint / "pytorch_model.bin")
        self.assert_refused(moesweep("inspect", self.checkpoint), BAD_INPUT, "PyTorch files (pytorch_model.bin, ...)",
                            "convert them to safetensors")


class OddDtypes(CliTest):
    """A model with a matrix of every element type that is valid in safetensors and not decoded here, without scales."""

    def setUp(self):
        super().setUp()
        random = np.random.default_rng(5)
        tensors = dict(random_matrices(1, 64, 64))
        for dtype, (shape, size) in ODD.items():
            tensors[f"odd.{dtype}.weight"] = (dtype, shape, random.integers(0, 256, size, np.uint8).tobytes())
        write_safetensors(self.folder / "model/model.safetensors", tensors)
        self.checkpoint = self.folder / "model"

    def test_they_are_known_and_sized(self):
        done = moesweep("inspect", self.checkpoint, "--json")
        self.assert_ends(done, COMPLETE)
        sizes = {tensor["dtype"]: tensor["bytes"] for tensor in json.loads(done.stdout)["list"]}
        self.assertEqual(sizes, {"F32": 16384, **{dtype: size for dtype, (_, size) in ODD.items()}})

    def test_a_sweep_skips_them_with_a_reason(self):
        self.assert_ends(moesweep("plan", self.job(self.checkpoint)), COMPLETE)
        run = self.sweep(self.job(self.checkpoint))
        out = self.folder / "tensors.jsonl"
        self.assert_ends(moesweep("export", run, out, "--to", "jsonl", "--table", "checkpoint/tensors"), COMPLETE)
        rows = {row["dtype"]: row for row in map(json.loads, out.read_text().splitlines())}
        self.assertEqual(rows["F32"]["skipped_because"], "")
        for dtype, (_, size) in ODD.items():
            self.assertEqual(rows[dtype]["bytes"], size)
            expected = "complex dtype" if dtype == "C64" else f"dtype {dtype}, which is not decoded"
            self.assertEqual(rows[dtype]["skipped_because"], expected)

    def test_plans_keep_them_and_writers_copy_them_bit_for_bit(self):
        run, plan = self.sweep(self.job(self.checkpoint)), self.folder / "plan.json"
        self.assert_ends(moesweep("allocate", run, "--method", "uniform", "--architecture", "generic", "--out", plan), COMPLETE)
        rows = {row["dtype"]: row for row in json.loads(plan.read_text())["rows"]}
        self.assertEqual(rows["F32"]["action"], "quantize")
        for dtype, (_, size) in ODD.items():
            self.assertEqual((rows[dtype]["action"], rows[dtype]["bytes"]), ("keep", size), dtype)
        for to in ("mlx", "dequantized"):
            out = self.folder / to
            self.assert_ends(moesweep("quantize", run, out, "--plan", plan, "--to", to), COMPLETE)
            source, written = (self.bytes_by_dtype(folder) for folder in (self.checkpoint, out))
            for dtype in ODD:
                self.assertEqual(written[dtype], source[dtype], f"{dtype} of {to}")
            self.assert_ends(moesweep("verify-plan", plan, out, "--against", self.checkpoint), COMPLETE)

    def test_a_kept_one_that_was_changed_is_noticed(self):
        run, plan, out = self.sweep(self.job(self.checkpoint)), self.folder / "plan.json", self.folder / "out"
        self.assert_ends(moesweep("allocate", run, "--method", "uniform", "--architecture", "generic", "--out", plan), COMPLETE)
        self.assert_ends(moesweep("quantize", run, out, "--plan", plan, "--to", "mlx"), COMPLETE)
        [file] = out.glob("*.safetensors")
        data, place = bytearray(file.read_bytes()), self.places(file)["odd.F4.weight"]
        data[place + 7] ^= 1
        file.write_bytes(data)
        done = moesweep("verify-plan", plan, out, "--against", self.checkpoint)
        self.assert_ends(done, BAD_INPUT)
        self.assertIn("odd.F4.weight", done.stdout)

    def test_beside_scales_they_are_codes_and_refused_by_name(self):
        write_safetensors(self.checkpoint / "model.safetensors", {
            "x.weight": ("F8_E4M3FNUZ", (64, 64), bytes(4096)), "x.weight_scale_inv": np.ones((1, 1), np.float32)})
        self.assert_refused(moesweep("plan", self.job(self.checkpoint)), BAD_INPUT, "FP8 with scales", "x.weight")

    @staticmethod
    def header(file):
        data = file.read_bytes()
        length = int.from_bytes(data[:8], "little")
        return data[8 + length:], 8 + length, json.loads(data[8:8 + length])

    def places(self, file):
        _, begin, header = self.header(file)
        return {name: begin + entry["data_offsets"][0] for name, entry in header.items() if name != "__metadata__"}

    def bytes_by_dtype(self, folder):
        [file] = folder.glob("*.safetensors")
        data, _, header = self.header(file)
        return {entry["dtype"]: data[slice(*entry["data_offsets"])]
                for name, entry in header.items() if name.startswith("odd.")}


if __name__ == "__main__":
    unittest.main()

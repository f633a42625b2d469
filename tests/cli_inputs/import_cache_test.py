"""`import-cache`: every kind of source gives the same cache, and what it refuses."""
import io
import json
import unittest
import zipfile

import h5py
import numpy as np

from cli import BAD_INPUT, BAD_USAGE, COMPLETE, SOURCE, CliTest, moesweep

HIDDEN = SOURCE / "tests/data/hidden"
SAMPLES = ("labels", "split", "sample_id", "cited", "span_tokens", "n_tokens")
STATES = ("L0/span_mean", "L1/last_token", "L1/mean", "L1/span_mean")
NAMES = {"i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "f2": "F16", "f4": "F32"}


def write_safetensors(path, arrays):
    header, data, offset = {}, [], 0
    for name, values in arrays.items():
        raw = values.tobytes()
        header[name] = {"dtype": NAMES[values.dtype.str[1:]], "shape": list(values.shape),
                        "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data))


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


class ImportCache(CliTest):
    @classmethod
    def setUpClass(cls):
        with h5py.File(HIDDEN / "bf16.h5") as cache:
            cls.real = {name: cache[name][:] for name in SAMPLES + STATES}

    def source(self, arrays=None, name="source.npz", **changed):
        path = self.folder / name
        np.savez(path, **{**(self.real if arrays is None else arrays), **changed})
        return path

    def import_cache(self, source, *options):
        out = self.folder / "bf16.h5"
        return out, moesweep("import-cache", source, out, *options)

    def imported(self, source, *options):
        out, done = self.import_cache(source, *options)
        self.assert_ends(done, COMPLETE)
        with h5py.File(out) as cache:
            names = []
            cache.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
            return dict(cache.attrs), {name: cache[name][:] for name in names}

    def refused(self, source, code, *named, options=()):
        out, done = self.import_cache(source, *options)
        self.assert_refused(done, code, *named)
        self.assertEqual(list(self.folder.glob("*.h5")), [])
        self.assertEqual(list(self.folder.glob(".tmp*")), [])

    def assert_same(self, arrays, expected):
        self.assertEqual(set(arrays), set(expected))
        for name, values in expected.items():
            np.testing.assert_array_equal(arrays[name], values, name)

    def test_npz_holds_the_same_as_the_cache(self):
        attributes, arrays = self.imported(self.source(), "--label-names", "APPROVE,REVISE,VETO", "--bits", "16",
                                           "--model", "use-lite", "--model-bytes", "54MB")
        self.assert_same(arrays, self.real)
        self.assertEqual(arrays["L1/mean"].dtype, np.float16)
        self.assertEqual({name: attributes[name].decode() for name in ("model", "variant", "label_names", "layer_names")},
                         {"model": "use-lite", "variant": "bf16", "label_names": "APPROVE,REVISE,VETO",
                          "layer_names": "L0,L1"})
        self.assertEqual((attributes["bits"], attributes["hidden_dim"], attributes["model_bytes"]), (16, 128, 54000000))

    def test_compressed_npz_unicode_ids_and_float64_are_read(self):
        path = self.folder / "packed.npz"
        ids = np.array([f"Größe-{i}" for i in range(300)])
        np.savez_compressed(path, **{**self.real, "sample_id": ids, "L1/mean": self.real["L1/mean"].astype("<f8")})
        _, arrays = self.imported(path)
        self.assert_same(arrays, {**self.real, "sample_id": np.array([text.encode() for text in ids])})

    def test_float32_that_is_no_half_stays_float32(self):
        values = self.real["L1/mean"].astype("<f4") + np.float32(1e-6)
        _, arrays = self.imported(self.source(**{"L1/mean": values}))
        self.assertEqual(arrays["L1/mean"].dtype, np.float32)
        np.testing.assert_array_equal(arrays["L1/mean"], values)

    def test_folder_of_npy_holds_the_same(self):
        folder = self.folder / "arrays"
        for name, values in self.real.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{name}.npy", values)
        _, arrays = self.imported(folder)
        self.assert_same(arrays, self.real)

    def test_safetensors_with_ids_from_a_file_holds_the_same(self):
        path, ids = self.folder / "states.safetensors", self.folder / "ids.txt"
        write_safetensors(path, {name: values for name, values in self.real.items() if name != "sample_id"})
        ids.write_bytes(b"\n".join(self.real["sample_id"]) + b"\n")
        _, arrays = self.imported(path, "--sample-ids", ids)
        self.assert_same(arrays, self.real)

    def test_imported_twice_gives_equal_bytes(self):
        source = self.source()
        self.imported(source)
        first = (self.folder / "bf16.h5").read_bytes()
        self.imported(source)
        self.assertEqual((self.folder / "bf16.h5").read_bytes(), first)

    def test_map_names_arrays_and_ids_are_generated(self):
        few = {"y": self.real["labels"], "split": self.real["split"], "hidden_mean": self.real["L1/mean"],
               "extra": np.zeros(3)}
        out, done = self.import_cache(self.source(few), "--map", "labels=y", "--map", "L1/mean=hidden_mean", "--json")
        self.assert_ends(done, COMPLETE)
        told = json.loads(done.stdout)
        self.assertEqual((told["samples"], told["train"], told["test"], told["layers"], told["datasets"],
                          told["unused"], told["bytes"]),
                         (300, 150, 90, ["L1"], ["L1/mean"], ["extra"], out.stat().st_size))
        with h5py.File(out) as cache:
            self.assertEqual(list(cache["sample_id"][:2]), [b"s000000", b"s000001"])

    def test_random_split_is_stratified_and_repeatable(self):
        arrays = {name: self.real[name] for name in ("labels", "L1/mean")}
        draws = []
        for seed in ("1", "1", "2"):
            _, made = self.imported(self.source(arrays), "--random-split", "0.5,0.2,0.3", "--seed", seed)
            draws.append(made["split"])
            for label in range(3):
                self.assertEqual(list(np.bincount(made["split"][made["labels"] == label])), [50, 20, 30])
        np.testing.assert_array_equal(draws[0], draws[1])
        self.assertTrue((draws[0] != draws[2]).any())

    def test_random_split_keeps_clusters_whole(self):
        clusters = np.array([f"c{i // 4}" for i in range(300)])
        arrays = {"labels": self.real["labels"], "L1/mean": self.real["L1/mean"], "cluster": clusters}
        _, made = self.imported(self.source(arrays), "--random-split", "0.5,0.2,0.3")
        for cluster in set(clusters):
            self.assertEqual(len(set(made["split"][clusters == cluster])), 1)

    def test_wrong_arrays_are_refused_by_name(self):
        nan = self.real["L1/mean"].copy()
        nan[7, 3] = np.nan
        ids = self.real["sample_id"].copy()
        ids[np.flatnonzero(self.real["split"] == 2)[0]] = ids[np.flatnonzero(self.real["split"] == 0)[0]]
        spans = self.real["span_tokens"].copy()
        spans[0, 0] = (5, 3000)
        labels = self.real["labels"].copy()
        labels[4] = -1
        for name, values, named in (
                ("labels", labels, "label -1 of sample 4"),
                ("labels", self.real["labels"].astype("f4"), "integers"),
                ("L1/mean", nan, "nan at sample 7, value 3"),
                ("L1/mean", self.real["L1/mean"][:100], "[100, 128]"),
                ("L1/mean", np.full((300, 128), 1e300), "inf"),
                ("sample_id", ids, "overlap"),
                ("span_tokens", spans, "[5, 3000)"),
                ("cited", self.real["cited"] + 2, "cited"),
                ("split", np.full(300, 3, np.int8), "split 3"),
                ("split", np.zeros(300, np.int8), "test split"),
                ("split", np.full(300, 1000), "holds 1000"),
                ("L1/mean", self.real["L1/mean"].astype(">f4"), "big-endian"),
                ("L1/mean", np.asfortranarray(self.real["L1/mean"]), "Fortran"),
                ("L1/mean", self.real["L1/mean"].astype("c8"), "type \"c8\"")):
            with self.subTest(named):
                self.refused(self.source(**{name: values}), BAD_INPUT, named)
        source = self.source()
        self.refused(source, BAD_INPUT, "no name", options=("--label-names", "A,B"))
        self.refused(source, BAD_INPUT, "L1/mena", "L1/mean", options=("--map", "L2/mean=L1/mena"))
        without = {name: values for name, values in self.real.items() if name != "split"}
        self.refused(self.source(without), BAD_INPUT, "split", "--random-split")

    def test_names_that_hdf5_would_read_as_others_are_refused(self):
        states, classes = self.real["L1/mean"], np.zeros(300, np.int8)
        for name, values in (("./labels", self.real["labels"]), ("./labels", states), ("../mean", states), ("L1/.", states),
                             ("L1/..", states), ("labels/mean", states), ("spans/mean", states), ("offsets/states", states),
                             ("skills/", classes), ("skills/.", classes), ("skills/a/b", classes), ("skills//", classes)):
            with self.subTest(name):
                source = self.folder / "source.safetensors"
                numbers = {key: array for key, array in self.real.items() if key != "sample_id"}
                write_safetensors(source, {**numbers, name: values})
                self.refused(source, BAD_INPUT, name)
        self.refused(self.source(), BAD_USAGE, "labels/mean", options=("--map", "labels/mean=L1/mean"))

    def test_empty_arrays_are_refused_by_name(self):
        tokens = {"L1/states": np.zeros((0, 128), "f4"), "offsets": np.zeros(0, np.int64)}
        self.refused(self.source(**tokens), BAD_INPUT, "offsets", "empty")
        self.refused(self.source(offsets=np.zeros(0, np.int64)), BAD_INPUT, "offsets", "empty")
        for name in self.real:
            with self.subTest(name):
                self.refused(self.source(**{name: self.real[name][:0]}), BAD_INPUT, "")

    def test_wrong_options_are_refused(self):
        source = self.source()
        for options in (("--map", "labels"), ("--map", "a=labels"), ("--random-split", "0.5,0.5"),
                        ("--random-split", "0.5,0.2,0.2"), ("--random-split", "0.7,0.1,0.2"), ("--seed", "1"),
                        ("--model-bytes", "big")):
            with self.subTest(options):
                self.refused(source, BAD_USAGE, options[0].split("/")[0], options=options)
        self.assert_refused(moesweep("import-cache", source, self.folder / "out.npz"), BAD_USAGE, ".h5")

    def test_a_missing_folder_of_the_output_is_named_with_what_to_do(self):
        out = self.folder / "missing/bf16.h5"
        done = moesweep("import-cache", self.source(), out)
        self.assert_refused(done, BAD_USAGE, out.parent, "is not a folder; create it first")

    def test_what_is_no_source_is_refused(self):
        empty, text = self.folder / "none", self.folder / "text.npz"
        empty.mkdir()
        text.write_text("no archive")
        for path in (empty, text, self.folder / "missing.npz", self.folder / "missing", HIDDEN / "bf16.h5"):
            with self.subTest(path):
                self.refused(path, BAD_INPUT, path)

    def hostile_npy(self):
        sound = npy(np.zeros(300, np.int8))
        end = sound.index(b"\n") + 1

        def headed(dictionary, data=bytes(300)):
            return b"\x93NUMPY\x01\x00" + len(dictionary).to_bytes(2, "little") + dictionary + data

        yield "truncated", sound[:-1]
        yield "longer", sound + b"\0"
        yield "cut in its header", sound[:40]
        yield "empty", b""
        yield "version", sound[:6] + b"\x09" + sound[7:]
        yield "huge header", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + sound[12:]
        yield "objects", headed(b"{'descr': '|O', 'fortran_order': False, 'shape': (300,), }\n")
        yield "records", headed(b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (75,), }\n")
        yield "absurd", headed(b"{'descr': '|i1', 'fortran_order': False, 'shape': (4611686018427387904, 8), }\n")
        yield "negative", headed(b"{'descr': '|i1', 'fortran_order': False, 'shape': (-300,), }\n")
        yield "beyond 64 bits", headed(b"{'descr': '|i1', 'fortran_order': False, 'shape': (99999999999999999999,), }\n")
        yield "no shape", headed(b"{'descr': '|i1', 'fortran_order': False, }\n")
        yield "code", headed(b"__import__('os').abort()\n")
        yield "nested", headed(b"{'descr': " + b"(" * 2000)
        yield "no end", headed(b"{'descr': '|i1")
        for i in range(end):
            yield f"byte {i}", sound[:i] + bytes([sound[i] ^ 0x15]) + sound[i + 1:]

    def test_hostile_npy_is_never_a_crash(self):
        folder = self.folder / "arrays"
        folder.mkdir()
        np.save(folder / "split.npy", self.real["split"])
        (folder / "L1").mkdir()
        np.save(folder / "L1/mean.npy", self.real["L1/mean"])
        for what, content in self.hostile_npy():
            with self.subTest(what):
                (folder / "labels.npy").write_bytes(content)
                out, done = self.import_cache(folder)
                if not what.startswith("byte"):
                    self.assert_refused(done, BAD_INPUT, "labels")
                self.assertIn(done.returncode, (COMPLETE, BAD_INPUT), done.stderr)

    def test_hostile_npz_is_never_a_crash(self):
        few = {name: self.real[name] for name in ("labels", "split")} | {"L1/mean": self.real["L1/mean"][:, :4]}
        path = self.folder / "packed.npz"
        np.savez_compressed(path, **few)
        sound = path.read_bytes()
        random = np.random.default_rng(1)
        positions = np.concatenate([random.integers(0, len(sound), 60), np.arange(len(sound) - 200, len(sound), 4)])
        for position in positions:
            with self.subTest(position):
                path.write_bytes(sound[:position] + bytes([sound[position] ^ 0xff]) + sound[position + 1:])
                _, done = self.import_cache(path)
                self.assertIn(done.returncode, (COMPLETE, BAD_INPUT), done.stderr)
        path.write_bytes(sound[:len(sound) // 2])
        _, done = self.import_cache(path)
        self.assert_refused(done, BAD_INPUT, path)

    def test_wrong_checksum_is_refused(self):
        path = self.folder / "stored.npz"
        with zipfile.ZipFile(path, "w") as archive:
            for name, values in self.real.items():
                archive.writestr(f"{name}.npy", npy(values))
        raw = bytearray(path.read_bytes())
        at = raw.index(self.real["L1/mean"].tobytes()) + 5
        raw[at] ^= 1
        path.write_bytes(raw)
        self.refused(path, BAD_INPUT, "L1/mean", "checksum")


if __name__ == "__main__":
    unittest.main()

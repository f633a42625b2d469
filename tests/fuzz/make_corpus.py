#!/usr/bin/python3
"""Writes the seeds of tests/fuzz/corpus: small sound files of every kind, and the usual ways to be wrong.

    tests/fuzz/make_corpus.py [RUN]

RUN, a finished run directory, is where results.h5 comes from. Files named crash-* are not made here: they were found by
a fuzzer, and made HDF5 1.10.8 crash or read what it had freed."""
import io
import json
import pathlib
import struct
import sys
import zipfile

import h5py
import numpy as np

CORPUS = pathlib.Path(__file__).parent / "corpus"


def put(target, name, content):
    path = CORPUS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def texts(target, suffix, **files):
    for name, content in files.items():
        put(target, f"{name}.{suffix}", content)


def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def npy(values, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(values), **options)
    return file.getvalue()


def jobs():
    texts("job_toml", "toml",
          sensitivity='schema = 1\nkind = "sensitivity"\n[checkpoint]\npath = "model"\n'
                      '[sensitivity]\nbits = [3, 4, 8]\ngroup_sizes = [64]\nquantizers = ["rtn"]\n',
          heads='schema = 1\nkind = "heads"\n[cache]\ndir = "caches"\nbaseline = "bf16"\nvariants = ["bf16", "4bit"]\n'
                '[heads]\nlayers = ["L1"]\npooling = ["mean"]\nhead = "mlp"\nseeds = 10\n',
          quality='schema = 1\nkind = "quality_safety"\n[quality]\nmatrix = "matrix.csv"\nbaseline = "bf16"\n'
                  'quality = ["acc"]\nsafety = ["safe"]\n',
          sizes='schema = 1\nkind = "sensitivity"\n[checkpoint]\npath = "m"\n[resources]\nmemory = "16GiB"\nthreads = 4\n',
          deep="a = " + "[" * 200 + "]" * 200, unfinished='kind = "sens', numbers="schema = 1e999\nx = 0x_1\n",
          dates="a = 1979-05-27T07:32:00Z\nb = [1, 'x', {c = 2}]\n", twice="schema = 1\nschema = 1\n")


def plans():
    row = {"tensor": "layers.0.w", "shape": "512x2048", "dtype": "BF16", "role": "mlp", "module": "layers.0.w", "action": "quantize",
           "quantizer": "affine", "bits": 4, "group_size": 64, "params": 1 << 20, "bytes": 1, "sse": None, "sum_squares": 1.5,
           "reason": ""}
    scored = dict(row, term="layers.0", alpha=1.0)
    head = {"method": "budget", "runtime": "mlx", "architecture": "llama", "source_headers": "0" * 32, "bytes": 1}
    facts = {"prior": "role", "layers": 60, "experts": 512, "tied_embeddings": None, "expert_patterns": ["experts"],
             "source": {"name": "owner/name", "model_type": "llama", "params": 1 << 20, "bytes": 1 << 21},
             "made": {"command": "moesweep allocate run '--out=a b'", "version": "0.4.0", "date": "2026-11-30T12:00:00Z"},
             "quantizable": ["*.w"]}

    def third(**changes):
        return json.dumps({"schema": 3, **head, **facts, "rows": [scored], **changes})

    texts("plan_json", "json", one=json.dumps({"schema": 1, **head, "rows": [row]}),
          two=json.dumps({"schema": 2, **head, "prior": "none", "rows": [scored]}), three=third(), tied=third(tied_embeddings=True),
          layers=third(layers=1 << 62), experts=third(experts=-1), patterns=third(expert_patterns=["x"] * 1025),
          control=third(made=dict(facts["made"], command="\u001b[2J\u0000")), source=third(source=[]), made=third(made=None),
          no_rows=third(rows=[]), none="{}", number="1", deep="[" * 300, wrong=third(rows=[dict(scored, bits="four")]),
          huge=third(rows=[dict(scored, shape="9" * 40)]))


def arrays():
    put("npy", "floats.npy", npy(np.arange(6, dtype="<f4").reshape(2, 3)))
    put("npy", "halves.npy", npy(np.arange(4, dtype="<f2"), version=(2, 0)))
    put("npy", "texts.npy", npy(np.array(["a", "Größe"])))
    put("npy", "scalar.npy", npy(np.int64(3)))
    put("npy", "fortran.npy", npy(np.asfortranarray(np.ones((2, 2)))))
    put("npy", "big-endian.npy", npy(np.arange(3, dtype=">i4")))
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }\n"
    for name, shape in {"huge": b"1099511627776", "overflow": b"4611686018427387904, 4611686018427387904", "negative": b"-1"}.items():
        text = header % shape
        put("npy", f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    put("npy", "long-header.npy", b"\x93NUMPY\x03\x00" + struct.pack("<I", 0xffffffff))
    for name, options in {"stored": {}, "deflated": {"compression": zipfile.ZIP_DEFLATED}, "lzma": {"compression": zipfile.ZIP_LZMA}}.items():
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", **options) as archive:
            archive.writestr("labels.npy", npy(np.array([0, 1, 1], "<i8")))
            archive.writestr("L1/mean.npy", npy(np.zeros((3, 64), "<f4")))
            archive.writestr("readme.txt", "no array")
        put("npz", f"{name}.npz", file.getvalue())
    whole = (CORPUS / "npz/deflated.npz").read_bytes()
    put("npz", "cut.npz", whole[:-30])
    put("npz", "flipped.npz", whole[:60] + bytes([whole[60] ^ 0x55]) + whole[61:])
    put("npz", "not.npz", b"PK\x05\x06" + bytes(18))


def tables():
    sample = {"model": "m", "level": "bf16", "task": "t", "metric": "acc", "score": 1, "tokens": 3, "sample": "a"}
    lines = [json.dumps(dict(sample, level=level, sample=name, score=score))
             for level in ("bf16", "4bit") for name, score in (("a", 1), ("b", 0.5), ("c", None), ("d", True))]
    texts("json_lines", "jsonl", sound="\n".join(lines) + "\n", empty="\n\n", nan='{"model":"m","level":"b","metric":"acc","score":nan}',
          none='{"model":"m","level":"b","metric":"acc","score":none}', bom="\ufeff" + lines[0], cut=lines[0][:40],
          infinite='{"model":"m","level":"b","metric":"acc","score":1e999}', deep='{"x":' * 2000,
          twice='{"model":"m","model":"n","level":"b","metric":"acc","score":1}', escapes='{"model":"\\u0000\\ud800","level":"b","metric":"acc","score":1}')
    texts("matrix_csv", "csv", long="model,level,metric,value,n,sd\nm,bf16,acc,0.5,100,\nm,4bit,acc,0.4,100,\nm,4bit,safe,0.9,,0.1\n",
          wide="model,quant,bpw,acc,acc_n,safe\nm,bf16,16,93.6,300,0.9\nm,4bit,4.5,,300,0.8\n", quoted='model,level,metric,value\n"a,""b",bf16,acc,1\n',
          ragged="model,level,metric,value\nm,bf16,acc\n", infinite="model,level,metric,value\nm,bf16,acc,inf\n", header="model,level,metric,value\n", nothing="")
    texts("alpha_csv", "csv", header="pattern,alpha\n*.mlp.*,1.5\nlm_head,2\n", plain="*,1e-3\n", negative="a,-1\n", word="a,b\n", nan="a,nan\n", comment="# x\na,1\n")
    texts("numeric_csv", "csv", two="a,b\n1,2\n3.5,-4e2\n", one="x\n1\n", ragged="a,b\n1\n", empty="", word="a\nx\n", cells="a,b\n,1\n")
    header = "name,shape,dtype,analysed,excess_kurtosis,spectral_concentration\n"
    texts("inventory_csv", "csv", sound=header + "layers.0.w,512x2048,BF16,1,0.5,0.1\nlayers.0.n,512,BF16,0,,\n", zero=header + "a,0x1,BF16,0,,\n",
          huge=header + "a,9223372036854775807x9,BF16,0,,\n", twice=header + "a,1,BF16,0,,\na,1,BF16,0,,\n", wrong=header + "a,1,BF16,1,x,2\n", none=header)
    texts("allocation_csv", "csv", sound="name,shape,dtype,excess_kurtosis,svd_concentration,output_delta,nrmse_4bit_g128\n"
          "model.layers.0.mlp.down_proj.weight,512x2048,BF16,1.5,0.2,0.1,0.09\nlm_head.weight,1000x512,BF16,,,,\n", shapes="name,shape\na,1x1x1\nb,\n",
          huge="name,shape\na,3037000500x3037000500\nb,9223372036854775807x2\n", params="name,shape\na,1152921504606846976x8\n", dtype="name,shape,dtype\na,2,Q9\n",
          twice="name,shape\na,2\na,2\n", nan="name,shape,excess_kurtosis\na,2x2,nan\n", rank="name,shape\na," + "x".join("1" * 40) + "\n")


def configs():
    group = {"targets": ["Linear", "re:.*down_proj"], "weights": {"num_bits": 4, "type": "int", "group_size": 128, "symmetric": True, "strategy": "group"}}
    tensors = {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": group}, "ignore": ["lm_head", "re:.*gate$"]}
    texts("config_json", "json", qwen=json.dumps({"model_type": "qwen3_moe", "num_hidden_layers": 4, "num_experts": 8, "hidden_size": 64, "tie_word_embeddings": True}),
          text_config=json.dumps({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 2}}), none="{}", array="[]",
          quantized=json.dumps({"model_type": "llama", "quantization_config": tensors}), nan='{"model_type":"llama","x":NaN}', deep='{"a":' * 500,
          fp8=json.dumps({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}), sizes='{"num_hidden_layers": 1e300, "num_experts": -1, "hidden_size": "x"}')
    texts("compressed_tensors", "json", sound=json.dumps({"quantization_config": tensors}), none="{}", deep="[" * 100, empty="",
          bits=json.dumps({"quantization_config": {"config_groups": {"g": {"targets": ["a"], "weights": {"num_bits": 1e9}}}}}),
          open=json.dumps({"quantization_config": {"config_groups": {"g": {"targets": ["re:(a"], "weights": {"num_bits": 4}}}}}),
          types=json.dumps({"quantization_config": {"config_groups": [1], "ignore": {"a": 1}}}))
    texts("index_json", "json", sound=json.dumps({"metadata": {"total_size": 8}, "weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors"}}),
          empty=json.dumps({"weight_map": {}}), twice='{"weight_map":{"a":"x","a":"y"}}', number='{"weight_map":{"a":1}}', path='{"weight_map":{"a":"../../x"}}', deep='{"x":' + "[" * 400)
    start = {"host": "n1", "boot_id": "b", "pid_namespace": "p", "pid": 3, "start_ticks": 4, "slurm_job": "", "slurm_restarts": 0, "fingerprint": "f", "inputs": ["a h"],
             "isa": "AVX2", "blas": "x", "build": "y", "ranks": 2, "units": 10, "unix_time": 1.5}
    end = {"exit_code": 75, "units_published": 3, "unix_time": 2.5}
    texts("lock", "bin", both=json.dumps(start) + "\0" + json.dumps(end) + "\n" * 100, start=json.dumps(start) + "\0", code=json.dumps(start) + "\0" + json.dumps(dict(end, exit_code=1 << 40)),
          beat="0001 0000000000000007 000001000.000 000000000003 00000000012.000 00000000010.000 00000000020.000\n", damaged="{", types=json.dumps(dict(start, pid="x")) + "\0[]")


def checkpoints():
    one = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    put("safetensors", "one.bin", b"\0" + safetensors(one, bytes(16)))
    put("safetensors", "two.bin", b"\1\x18" + json.dumps(dict(one, b={"dtype": "BF16", "shape": [4], "data_offsets": [16, 24]}, __metadata__={"format": "pt"})).encode())
    put("safetensors", "gap.bin", b"\1\x20" + json.dumps(one).encode())
    put("safetensors", "huge-header.bin", b"\0" + safetensors(b"{}", length=1 << 62))
    put("safetensors", "overflow.bin", b"\1\x10" + b'{"a":{"dtype":"F64","shape":[9223372036854775807,3],"data_offsets":[0,16]}}')
    put("safetensors", "deep.bin", b"\1\0" + b'{"a":' * 300)
    put("safetensors", "pointer.bin", b"\0version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")

    def text(value):
        return struct.pack("<Q", len(value)) + value

    def gguf(tensors, pairs=(), version=3, data=b""):
        header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs)) + b"".join(pairs) + b"".join(tensors)
        return header + bytes(-len(header) % 32) + data

    def tensor(name, sides, kind, offset):
        return text(name) + struct.pack(f"<I{len(sides)}QIQ", len(sides), *sides, kind, offset)

    name = text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
    put("gguf", "one.gguf", gguf([tensor(b"a", [32, 2], 0, 0)], [name], data=bytes(256)))
    put("gguf", "q8.gguf", gguf([tensor(b"a", [32], 8, 0), tensor(b"b", [32], 1, 64)], data=bytes(128)))
    put("gguf", "huge.gguf", gguf([tensor(b"a", [1 << 62, 4], 0, 0)]))
    put("gguf", "counts.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60))
    put("gguf", "array.gguf", gguf([], [text(b"k") + struct.pack("<IIQ", 9, 4, 1 << 61)]))
    put("gguf", "version.gguf", gguf([], version=99))


def caches():
    def cache(name, change=lambda file: None, **options):
        path = CORPUS / "hidden_cache" / f"{name}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w", track_order=False, **options) as file:
            file["labels"], file["split"] = np.array([0, 1, 0, 1], "i1"), np.array([0, 0, 2, 2], "i1")
            file["sample_id"] = np.array([b"a", b"b", b"c", b"d"])
            file.create_dataset("L1/mean", data=np.ones((4, 8), "f2"), chunks=(2, 8), compression="gzip", shuffle=True)
            change(file)

    def huge(file):
        del file["L1/mean"]
        file.create_dataset("L1/mean", shape=(4, 1 << 40), dtype="f4", chunks=(1, 1 << 20), compression="gzip")

    def tokens(file):
        file["n_tokens"], file["offsets"] = np.array([1, 2, 1, 1], "i4"), np.array([0, 1, 3], "i8")
        file["L1/states"] = np.zeros((3, 8), "f4")
        file["cited"], file["span_tokens"] = np.zeros((4, 1), "i1"), np.tile(np.array([[0, 1]], "i4"), (4, 1, 1))
        file["L1/span_mean"] = np.zeros((4, 1, 8), "f8")
        file["skills/tone"] = np.zeros(4, "i1")
        file.attrs["label_names"] = "NO,YES"

    cache("small"), cache("tokens", tokens), cache("huge", huge), cache("latest", libver="latest")
    cache("link", lambda file: file.__setitem__("L2", h5py.ExternalLink("/etc/passwd", "/")))
    whole = (CORPUS / "hidden_cache/small.h5").read_bytes()
    put("hidden_cache", "cut.h5", whole[: len(whole) // 2])


def frames():
    def frame(kind, content=b""):
        return struct.pack("<BI", kind, len(content)) + content

    def number(value):
        return struct.pack("<q", value)

    def text(value):
        return number(len(value)) + value

    end = frame(3)
    put("frames", "results", b"\0" + frame(1, number(1) + text(b"run") + number(1) + text(b"x") + number(-1)) + end)
    put("frames", "lie", b"\0" + frame(1, number(1 << 39)) + end)
    put("frames", "error", b"\0" + frame(2, bytes([65]) + b"file\0is wrong\0mend it\0"))
    put("frames", "nonsense", b"\0" + frame(9, b"x") + end)
    put("frames", "unfinished", b"\1" + frame(1, bytes(5 * 8)))
    put("frames", "contents", b"\1" + frame(1, bytes(18 * 8)) + end)
    put("frames", "states", b"\2" + frame(1, number(4) + bytes(2000)) + frame(1, bytes(2000)) + end)
    put("frames", "halves", b"\2" + frame(1, number(2) + bytes(2000)) + end)


if __name__ == "__main__":
    for make in (jobs, plans, arrays, tables, configs, checkpoints, caches, frames):
        make()
    if len(sys.argv) > 1:
        put("results", "sound.h5", (pathlib.Path(sys.argv[1]) / "results.h5").read_bytes()[512:])

#!/usr/bin/env python3
"""Recomputes a sensitivity sweep with numpy and compares it with a results file.

Usage: sensitivity_oracle.py [options] CHECKPOINT RESULTS.h5

CHECKPOINT is a .safetensors file or a directory of them; RESULTS.h5 has one group a table and one
1-D dataset a column. The definitions are those of docs/metrics.md; nothing is shared with the C++
code. Prints the worst deviation of every column and ends with 1 when one is out of tolerance, or
when a tensor or row is missing or superfluous. `role` and `reason` are not recomputed.
"""
import argparse
import collections
import fnmatch
import json
import math
import pathlib
import sys

import h5py
import numpy as np

F32 = np.float32
METRICS = ("moments", "noise", "error", "spectrum")
PROTECTED = ("embed_tokens,lm_head,layernorm,layer_norm,norm.weight,router.weight,vision_model,"
             "multi_modal_projector,positional_embedding,class_embedding,patch_embedding")
SPECTRUM = ("spectral_concentration", "concentration_full", "stable_rank", "effective_rank")

# Relative tolerances, against max(|expected|, floor). The floors of signed quantities say how much
# of their natural size counts as zero.
TOLERANCE = collections.defaultdict(lambda: 1e-6)
for _name in SPECTRUM[:3]:
    TOLERANCE[_name] = TOLERANCE[_name + "_max"] = 1e-5
TOLERANCE["effective_rank"] = TOLERANCE["effective_rank_max"] = 1e-4
TOLERANCE["score_svd"] = 2e-5  # d score = d concentration / 0.8
TOLERANCE["composite"] = 1e-5
TOLERANCE["bits_per_weight"] = 1e-12


# --- reading ---------------------------------------------------------------------------------

def e4m3_table():
    """OCP E4M3 "FN": no infinities, 0x7f and 0xff are NaN."""
    table = np.empty(256, F32)
    for code in range(256):
        sign = -1.0 if code & 0x80 else 1.0
        exponent, fraction = (code >> 3) & 15, code & 7
        if code & 0x7F == 0x7F:
            table[code] = np.nan
        elif exponent == 0:
            table[code] = sign * fraction / 8 * 2.0 ** -6
        else:
            table[code] = sign * (1 + fraction / 8) * 2.0 ** (exponent - 7)
    return table


E4M3 = e4m3_table()
FLOATS = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8, "F8_E4M3": 1}


def decode(dtype, raw):
    if dtype == "BF16":
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(F32)
    if dtype == "F8_E4M3":
        return E4M3[np.frombuffer(raw, np.uint8)]
    kind = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype]
    with np.errstate(over="ignore"):
        return np.frombuffer(raw, kind).astype(F32)


class Tensor:
    def __init__(self, path, name, entry, data_start):
        self.path, self.name = path, name
        self.dtype, self.shape = entry["dtype"], list(entry["shape"])
        self.begin = data_start + entry["data_offsets"][0]
        self.params = math.prod(self.shape)

    def matrices(self):
        """Slices as [rows, columns] float32, or the reason why there are none."""
        if len(self.shape) <= 1 or (len(self.shape) == 2 and 1 in self.shape):
            return "1-D"
        if self.dtype not in FLOATS:
            return "integer dtype"
        if self.params == 0:
            return "empty"
        stack = (len(self.shape) == 3 and "experts" in self.name.split(".")
                 and min(self.shape[1:]) >= 32)
        count, rows = (self.shape[0], self.shape[1]) if stack else (1, self.shape[0])
        return self._slices(count, rows, self.params // count // rows)

    def _slices(self, count, rows, columns):
        size = rows * columns * FLOATS[self.dtype]
        with open(self.path, "rb") as file:
            for i in range(count):
                file.seek(self.begin + i * size)
                yield decode(self.dtype, file.read(size)).reshape(rows, columns)


def tensors_of(checkpoint):
    path = pathlib.Path(checkpoint)
    for file in sorted(path.glob("*.safetensors")) if path.is_dir() else [path]:
        with open(file, "rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length))
        for name, entry in header.items():
            if name != "__metadata__":
                yield Tensor(file, name, entry, 8 + length)


def read_table(results, name):
    columns = {}
    for key, data in results[name].items():
        values = data[:]
        if values.dtype.kind in "SO":
            values = [v.decode() if isinstance(v, bytes) else v for v in values]
        columns[key] = values
    count = {len(v) for v in columns.values()}
    if len(count) > 1:
        sys.exit(f"{name}: columns of different lengths {sorted(count)}")
    return [{k: v[i] for k, v in columns.items()} for i in range(count.pop() if count else 0)]


# --- definitions -----------------------------------------------------------------------------

def moments(w):
    """Two passes in extended precision."""
    x = w.ravel().astype(np.longdouble)
    mean = x.sum() / x.size
    d = x - mean
    d2 = d * d
    return {"n": x.size, "mean": float(mean), "m2": float(d2.sum()), "m3": float((d2 * d).sum()),
            "m4": float((d2 * d2).sum()), "sum_squares": float((x * x).sum()),
            "minimum": float(w.min()), "maximum": float(w.max())}


def derived(m):
    rms = math.sqrt(m["sum_squares"] / m["n"])
    kurtosis = m["n"] * m["m4"] / m["m2"] ** 2 - 3 if m["m2"] > 0 else 0.0
    noise = (m["maximum"] - m["minimum"]) / (16 * math.sqrt(12) * rms) if rms > 0 else 0.0
    return {"variance": m["m2"] / m["n"], "excess_kurtosis": kurtosis,
            "noise_amplification": noise}


def pooled_moments(parts):
    """Moments of the union about its mean, by shifting each part's sums."""
    n = sum(p["n"] for p in parts)
    mean = sum(np.longdouble(p["mean"]) * p["n"] for p in parts) / n
    m2 = m3 = m4 = np.longdouble(0)
    for p in parts:
        d, k = p["mean"] - mean, p["n"]
        m2 += p["m2"] + k * d ** 2
        m3 += p["m3"] + 3 * d * p["m2"] + k * d ** 3
        m4 += p["m4"] + 4 * d * p["m3"] + 6 * d ** 2 * p["m2"] + k * d ** 4
    return {"n": n, "mean": float(mean), "m2": float(m2), "m3": float(m3), "m4": float(m4),
            "sum_squares": math.fsum(p["sum_squares"] for p in parts),
            "minimum": min(p["minimum"] for p in parts),
            "maximum": max(p["maximum"] for p in parts)}


def spectrum(w):
    sigma2 = np.linalg.svd(w.astype(np.float64), compute_uv=False) ** 2
    total, k = sigma2.sum(), sigma2.size
    if total == 0:
        return dict.fromkeys(SPECTRUM, 0.0)
    tenth = max(1, k // 10)
    r, t = (k, tenth) if k <= 512 else (256, 25)
    p = sigma2[sigma2 > 0] / total
    return {"spectral_concentration": sigma2[:t].sum() / sigma2[:r].sum(),
            "concentration_full": sigma2[:tenth].sum() / total,
            "stable_rank": total / sigma2[0],
            "effective_rank": math.exp(-(p * np.log(p)).sum())}


def bf16(x):
    """Nearest even, by the bits."""
    bits = x.astype(F32).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(F32)


def stored(x, dtype):
    """Scale or bias in the dtype that holds it."""
    if dtype in ("BF16", "F8_E4M3"):
        return bf16(x)
    if dtype == "F16":
        with np.errstate(over="ignore"):
            return x.astype(np.float16).astype(F32)
    return x.astype(F32)


def grouped(w, g):
    rows, columns = w.shape
    padded = np.zeros((rows, -(-columns // g) * g), F32)
    padded[:, :columns] = w
    return padded.reshape(rows, -1, g)


def rtn(groups, n):
    lo = groups.min(axis=2, keepdims=True)
    hi = groups.max(axis=2, keepdims=True)
    s = np.maximum((hi - lo) / n, F32(1e-12))
    q = np.clip(np.rint((groups - lo) / s), F32(0), n)
    return q * s + lo


def affine(groups, n, dtype):
    lo = groups.min(axis=2, keepdims=True)
    hi = groups.max(axis=2, keepdims=True)
    low_is_larger = np.abs(lo) > np.abs(hi)
    s = np.maximum((hi - lo) / n, F32(1e-7))
    s = np.where(low_is_larger, s, -s)
    edge = np.where(low_is_larger, lo, hi)
    q0 = np.rint(edge / s)
    representable = q0 != 0
    s = np.where(representable, edge / np.where(representable, q0, F32(1)), s)
    bias = np.where(representable, edge, F32(0))
    q = np.clip(np.rint((groups - bias) / s), F32(0), n)
    return q * stored(s, dtype) + stored(bias, dtype)


def sse(w, quantizer, dtype):
    family, bits, group_size = quantizer
    groups, n = grouped(w, group_size), F32(2 ** bits - 1)
    back = rtn(groups, n) if family == "rtn" else affine(groups, n, dtype)
    assert back.dtype == F32
    back = back.reshape(w.shape[0], -1)[:, :w.shape[1]]
    return float(((w.astype(np.float64) - back.astype(np.float64)) ** 2).sum())


def bits_per_weight(quantizer, dtype):
    family, bits, group_size = quantizer
    pair = 32 if family == "affine" and dtype in ("BF16", "F16", "F8_E4M3") else 64
    return bits + pair / group_size


def nrmse(error, sum_squares):
    return math.sqrt(error / sum_squares) if sum_squares > 0 else 0.0


def scores(row, weights):
    clip = lambda x: min(1.0, max(0.0, x))
    delta = row["noise_amplification"]
    made = {"score_svd": clip((row["spectral_concentration"] - 0.1) / 0.8),
            "score_kurtosis": clip(row["excess_kurtosis"] / 10),
            "score_noise": 0.0 if delta < 1e-6 else clip((math.log10(max(delta, 0.01)) + 2) / 3),
            "score_error": clip((row["nrmse_rtn_4bit_g128"] - 0.005) / 0.045)}
    made["composite"] = sum(w * made[k] for w, k in zip(
        weights, ("score_svd", "score_kurtosis", "score_noise", "score_error")) if w != 0)
    return made


def bits_of(name, weights_a_matrix, composite, options):
    bits2, bits8, bits16 = options.thresholds
    named = lambda patterns: any(p.lower() in name.lower() for p in patterns.split(",") if p)
    if weights_a_matrix < 1024 or named(options.protected):
        return 16
    if math.isnan(composite) or composite >= bits16:
        return 16
    if named(options.sensitive) or composite >= bits8:
        return 8
    return 2 if composite <= bits2 else 4


# --- measuring one tensor --------------------------------------------------------------------

REFERENCE = ("rtn", 4, 128)


def slice_row(w, dtype, quantizers):
    """All metrics of one matrix and the squared error of each quantizer; None if not finite."""
    if not np.isfinite(w).all():
        return None
    m = moments(w)
    errors = {q: sse(w, q, dtype) for q in dict.fromkeys([*quantizers, REFERENCE])}
    return {**m, **derived(m), **spectrum(w), "errors": errors, "params": w.size,
            "nrmse_rtn_4bit_g128": nrmse(errors[REFERENCE], m["sum_squares"])}


def tensor_row(parts, weights, measured):
    m = pooled_moments(parts)
    row = {**m, **derived(m)}
    for key in SPECTRUM:
        row[key] = math.fsum(p[key] for p in parts) / len(parts)
        row[key + "_max"] = max(p[key] for p in parts)
    row["nrmse_rtn_4bit_g128"] = nrmse(math.fsum(p["errors"][REFERENCE] for p in parts),
                                       m["sum_squares"])
    row.update(scores(row, weights))
    if len(measured) < len(METRICS):
        row["composite"] = math.nan
    return row


def columns_of(metrics, tensor_level):
    """Columns that have numbers when only these metrics are measured."""
    columns = set()
    if "moments" in metrics:
        columns |= {"mean", "variance", "excess_kurtosis"}
        columns |= {"score_kurtosis"} if tensor_level else {"m2", "m3", "m4"}
    if "noise" in metrics:
        columns |= {"noise_amplification"} | ({"score_noise"} if tensor_level else set())
    if {"moments", "noise"} & set(metrics):
        columns |= {"minimum", "maximum"}
    if {"moments", "noise", "error"} & set(metrics) and not tensor_level:
        columns.add("sum_squares")
    if "error" in metrics:
        columns |= {"nrmse_rtn_4bit_g128"} | ({"score_error"} if tensor_level else set())
    if "spectrum" in metrics:
        columns |= set(SPECTRUM)
        if tensor_level:
            columns |= {"score_svd"} | {key + "_max" for key in SPECTRUM}
    if tensor_level and len(metrics) == len(METRICS):
        columns.add("composite")
    return columns


def floor_of(column, row):
    """Size below which a difference of a signed quantity is counted as a difference to zero."""
    n = row["n"]
    if column == "mean":
        return 1e-3 * math.sqrt(row["sum_squares"] / n)
    if column == "m3":
        return 1e-3 * n * (row["m2"] / n) ** 1.5
    if column == "excess_kurtosis":
        return 1.0  # the quantity computed is kurtosis + 3
    if column.startswith("score_") or column == "composite":
        return 1e-1
    return 0.0


# --- comparing -------------------------------------------------------------------------------

class Comparison:
    def __init__(self):
        self.worst = {}
        self.rows = 0
        self.violations = []

    def complain(self, text):
        self.violations.append(text)

    def number(self, table, column, place, got, expected, floor=0.0):
        key = f"{table}.{column}"
        if math.isnan(expected) or math.isnan(got):
            deviation = 0.0 if math.isnan(expected) and math.isnan(got) else math.inf
        elif got == expected:
            deviation = 0.0
        else:
            size = max(abs(expected), floor)
            deviation = abs(got - expected) / size if size > 0 else math.inf
        if deviation >= self.worst.get(key, (-1.0,))[0]:
            self.worst[key] = (deviation, place)
        if deviation > TOLERANCE[column]:
            self.complain(f"{key} of {place}: {got!r}, expected {expected!r} "
                          f"(deviation {deviation:.2g}, tolerance {TOLERANCE[column]:.0e})")

    def exact(self, table, column, place, got, expected):
        self.worst.setdefault(f"{table}.{column}", (0.0, place))
        if got != expected:
            self.worst[f"{table}.{column}"] = (math.inf, place)
            self.complain(f"{table}.{column} of {place}: {got!r}, expected {expected!r}")

    def metrics(self, table, place, got, expected, measured):
        tensor_level = table == "tensors"
        wanted = columns_of(measured, tensor_level) if expected else set()
        for column in sorted(columns_of(METRICS, tensor_level)):
            if column not in got:
                self.complain(f"{table}: no column {column}")
            elif column in wanted:
                self.number(table, column, place, float(got[column]), expected[column],
                            floor_of(column, expected))
            else:
                self.number(table, column, place, float(got[column]), math.nan)

    def report(self):
        for key, (deviation, place) in sorted(self.worst.items()):
            print(f"{key:48} worst {deviation:9.2e}  {place}")
        for text in self.violations[:50]:
            print("VIOLATION", text)
        if len(self.violations) > 50:
            print(f"... and {len(self.violations) - 50} more")
        largest = max((d for d, _ in self.worst.values()), default=0.0)
        print(f"{'FAIL' if self.violations else 'OK'}: {self.rows} rows, {len(self.worst)} columns, "
              f"worst deviation {largest:.2e}, {len(self.violations)} violations")


class Results:
    """Rows of the results file by key; what is compared is taken out."""

    def __init__(self, path, comparison):
        self.comparison = comparison
        with h5py.File(path, "r") as file:
            self.tables = {
                "tensors": self._keyed(read_table(file, "sensitivity/tensors"), "name"),
                "slices": self._keyed(read_table(file, "sensitivity/slices"), "tensor", "slice"),
                "distortion": self._keyed(
                    read_table(file, "sensitivity/distortion"), "tensor", "slice", "quantizer",
                    "bits", "group_size") if "sensitivity/distortion" in file else {}}
        self.quantizers = sorted({key[2:] for key in self.tables["distortion"]})

    def _keyed(self, rows, *columns):
        keyed = {}
        for row in rows:
            key = tuple(row[c] if isinstance(row[c], str) else int(row[c]) for c in columns)
            if key in keyed:
                self.comparison.complain(f"{key} twice")
            keyed[key] = row
        return keyed

    def take(self, table, *key):
        row = self.tables[table].pop(key, None)
        if row is None:
            self.comparison.complain(f"{table}: no row {key}")
        else:
            self.comparison.rows += 1
        return row

    def complain_about_the_rest(self):
        for table, rows in self.tables.items():
            for key in rows:
                self.comparison.complain(f"{table}: unexpected row {key}")


def compare_distortion(tensor, index, parts, results, comparison):
    for quantizer in results.quantizers:
        row = results.take("distortion", tensor.name, index, *quantizer)
        if row is None:
            continue
        place = f"{tensor.name}[{index}] {quantizer}"
        error = math.fsum(p["errors"][quantizer] for p in parts)
        squares = math.fsum(p["sum_squares"] for p in parts)
        for column, expected in (("sse", error), ("sum_squares", squares),
                                 ("nrmse", nrmse(error, squares)),
                                 ("bits_per_weight", bits_per_weight(quantizer, tensor.dtype))):
            comparison.number("distortion", column, place, float(row[column]), expected)


def compare_slices(tensor, matrices, results, comparison, options):
    """Returns the measured slices and the number of slices."""
    parts, count = [], 0
    for index, w in enumerate(matrices):
        count += 1
        expected = slice_row(w, tensor.dtype, results.quantizers)
        row = results.take("slices", tensor.name, index)
        place = f"{tensor.name}[{index}]"
        if row is not None:
            comparison.exact("slices", "params", place, int(row["params"]), w.size)
            comparison.metrics("slices", place, row, expected, options.metrics)
            if expected is None:
                comparison.exact("slices", "reason", place,
                                 row["reason"].startswith("skipped: "), True)
        if expected is not None:
            parts.append(expected)
            if "error" in options.metrics:
                compare_distortion(tensor, index, [expected], results, comparison)
    return parts, count


def compare_tensor(tensor, results, comparison, options):
    matrices = tensor.matrices()
    row = results.take("tensors", tensor.name)
    analysed = not isinstance(matrices, str)
    parts, count = ([], 0)
    if analysed:
        parts, count = compare_slices(tensor, matrices, results, comparison, options)
    complete = analysed and len(parts) == count
    if complete and "error" in options.metrics:
        compare_distortion(tensor, -1, parts, results, comparison)
    if row is None:
        return
    for column, expected in (("shape", "x".join(map(str, tensor.shape))), ("dtype", tensor.dtype),
                             ("params", tensor.params), ("slices", count)):
        comparison.exact("tensors", column, tensor.name, row[column], expected)
    expected = tensor_row(parts, options.weights, options.metrics) if complete else None
    comparison.metrics("tensors", tensor.name, row, expected, options.metrics)
    if not analysed:
        comparison.exact("tensors", "reason", tensor.name, row["reason"], matrices)
    bits = (bits_of(tensor.name, tensor.params // count, expected["composite"], options)
            if complete else 16)
    comparison.exact("tensors", "bits", tensor.name, int(row["bits"]), bits)


def parse_arguments():
    numbers = lambda text: [float(x) for x in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("results")
    parser.add_argument("--metrics", type=lambda t: t.split(","), default=list(METRICS))
    parser.add_argument("--include", action="append", help="glob on names, repeatable")
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--weights", type=numbers, default=[0.20, 0.45, 0.15, 0.20],
                        help="svd,kurtosis,noise,error")
    parser.add_argument("--thresholds", type=numbers, default=[0.10, 0.65, 0.90],
                        help="2 bits,8 bits,16 bits")
    parser.add_argument("--protected", default=PROTECTED, help="substrings, joined by commas")
    parser.add_argument("--sensitive", default="")
    return parser.parse_args()


def main():
    options = parse_arguments()
    comparison = Comparison()
    results = Results(options.results, comparison)
    matches = lambda name, globs: any(fnmatch.fnmatchcase(name, g) for g in globs)
    for tensor in tensors_of(options.checkpoint):
        if matches(tensor.name, options.include or ["*"]) and not matches(tensor.name,
                                                                          options.exclude):
            compare_tensor(tensor, results, comparison, options)
    results.complain_about_the_rest()
    if comparison.rows == 0:
        comparison.complain("nothing was compared")
    comparison.report()
    return 1 if comparison.violations else 0


if __name__ == "__main__":
    sys.exit(main())

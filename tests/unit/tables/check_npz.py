"""Compares an .npz file with what npz_test.cpp wrote; exits with a message where they differ."""
import math
import sys
import zipfile

import numpy

path, kind = sys.argv[1:]
with zipfile.ZipFile(path) as archive:
    assert archive.testzip() is None
    assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in archive.infolist())

if kind == "zip64":
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["a", "b/c"], archive.namelist()
        assert archive.read("a") == b"x" * 100000
        assert archive.read("b/c") == b""
        assert all(entry.extract_version == 45 for entry in archive.infolist())
    sys.exit()

arrays = numpy.load(path, allow_pickle=False)
expected = {
    "text": ("S5", [b"plain", "é".encode(), b"a\xef\xbf\xbd"]),
    "id": ("<u8", [2**64 - 1, 0, 7]),
    "big": ("<i8", [-(2**63), 1, 2]),
    "middle": ("<i4", [-(2**31), 3, 4]),
    "small": ("i1", [-128, 5, 6]),
}
assert sorted(arrays.files) == sorted(
    ["every/type/" + name for name in [*expected, "real"]] + ["notes/note"]), arrays.files
for name, (dtype, values) in expected.items():
    array = arrays["every/type/" + name]
    assert array.dtype == numpy.dtype(dtype), (name, array.dtype)
    assert array.tolist() == values, (name, array.tolist())
real = arrays["every/type/real"]
assert math.isnan(real[0]) and real[1] == math.inf and math.copysign(1, real[2]) == -1, real
assert arrays["notes/note"].tolist() == [b""], arrays["notes/note"]

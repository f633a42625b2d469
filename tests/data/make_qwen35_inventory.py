"""Joins an inventory (name,shape,dtype,analysed) with published statistics (name, svd_concentration,
excess_kurtosis) into the one file that `moesweep twin` reads.

usage: make_qwen35_inventory.py INVENTORY.csv PUBLISHED.csv OUT.csv
"""
import csv
import sys

inventory, published, out = sys.argv[1:]
statistics = {row["name"]: row for row in csv.DictReader(open(published))}
rows = sorted(csv.DictReader(open(inventory)), key=lambda row: row["name"])
with open(out, "w") as file:
    file.write("name,shape,dtype,analysed,excess_kurtosis,spectral_concentration\n")
    for row in rows:
        values = ["", ""]
        if row["analysed"] == "1":
            found = statistics.pop(row["name"])
            assert found["shape"] == row["shape"], row["name"]
            values = [f"{float(found[key]):.6g}" for key in ("excess_kurtosis", "svd_concentration")]
        file.write(",".join([row["name"], row["shape"], row["dtype"], row["analysed"], *values]) + "\n")
assert not statistics, list(statistics)

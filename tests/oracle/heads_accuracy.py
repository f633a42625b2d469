#!/usr/bin/python3
"""Decision heads of moesweep against PyTorch's: the same heads, seeds 0 to 29 of each, on every variant of a cache.

    tests/oracle/heads_accuracy.py CACHE_DIR --moesweep build/release/bin/moesweep    (trains both)
    tests/oracle/heads_accuracy.py CACHE_DIR --run RUN_DIR                                (reads moesweep's from a run)

Ends with 1 when the mean test accuracy differs by more than 0.5 points for any variant and pooling. Needs python3-torch
and ten minutes of two cores, so it is no test of ctest.

The two share nothing but the recipe: MLP d-256-classes, exact GELU, dropout 0.1, PyTorch's default initial weights,
Adam 1e-3, 40 epochs of batches of 64 in random order, the last one smaller, features standardized on the train split.
Each draws its own random numbers, so a difference is to be read beside its standard error over seeds. The test samples
are the same for both: their number does not widen it.
"""
import argparse
import math
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy
import torch

SEEDS = range(30)
LAYER, POOLINGS = "L1", ("mean", "last_token")
WIDTH, DROPOUT, EPOCHS, BATCH, LEARNING_RATE = 256, 0.1, 40, 64, 1e-3
FORBIDDEN = ("VETO", "APPROVE")
MOST_POINTS = 0.5


def read_cache(path, pooling):
    with h5py.File(path) as file:
        names = file.attrs["label_names"]
        names = [str(name) for name in names] if not isinstance(names, (str, bytes)) else str(names).split(",")
        return (file[f"{LAYER}/{pooling}"][:].astype(numpy.float32), file["labels"][:].astype(numpy.int64),
                file["split"][:], names)


def standardized(features, split):
    train = features[split == 0].astype(numpy.float64)
    sd = train.std(axis=0)
    return ((features - train.mean(axis=0)) / numpy.where(sd < 1e-6, 1.0, sd)).astype(numpy.float32)


def train_one(features, labels, classes, seed):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(features.shape[1], WIDTH), torch.nn.GELU(),
                              torch.nn.Dropout(DROPOUT), torch.nn.Linear(WIDTH, classes))
    adam = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            adam.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(net(features[chosen]), labels[chosen]).backward()
            adam.step()
    return net.eval()


def pytorch_seed(task):
    """Test accuracy and forbidden errors of one seed."""
    path, pooling, seed = task
    torch.set_num_threads(1)
    features, labels, split, names = read_cache(path, pooling)
    features, labels = torch.from_numpy(standardized(features, split)), torch.from_numpy(labels)
    train, test = torch.from_numpy(split == 0), torch.from_numpy(split == 2)
    net = train_one(features[train], labels[train], len(names), seed)
    with torch.no_grad():
        predicted = net(features[test]).argmax(dim=1)
    truth, wrong = (names.index(name) for name in FORBIDDEN)
    forbidden = (labels[test] == truth) & (predicted == wrong)
    return float((predicted == labels[test]).double().mean()), int(forbidden.sum())


def pytorch_all(folder, cells):
    tasks = [(folder / f"{variant}.h5", pooling, seed) for variant, pooling in cells for seed in SEEDS]
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        results = numpy.array(pool.map(pytorch_seed, tasks, chunksize=1))
    return dict(zip(cells, results.reshape(len(cells), len(SEEDS), 2)))


def run_moesweep(program, folder, variants, work):
    job, run = work / "job.toml", work / "run"
    quoted = ", ".join(f'"{variant}"' for variant in variants)
    poolings = ", ".join(f'"{pooling}"' for pooling in POOLINGS)
    job.write_text(f"""schema = 1
kind = "heads"
[cache]
dir = "{folder.resolve()}"
variants = [{quoted}]
baseline = "{variants[0]}"
[heads]
head = "mlp"
layers = ["{LAYER}"]
pooling = [{poolings}]
seeds = {{ first = {SEEDS.start}, count = {len(SEEDS)} }}
width = {WIDTH}
dropout = {DROPOUT}
epochs = {EPOCHS}
batch = {BATCH}
learning_rate = {LEARNING_RATE}
save = false
forbidden = {{ truth = "{FORBIDDEN[0]}", predicted = "{FORBIDDEN[1]}" }}
""")
    subprocess.run([program, "run", job, "--run-dir", run, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return run


def moesweep_all(run, cells):
    with h5py.File(run / "results.h5") as file:
        table = file["heads/seeds"]
        text = {name: table[name].asstr()[:] for name in ("variant", "head", "layer", "pooling", "split")}
        seeds, accuracy, forbidden = (table[name][:] for name in ("seed", "accuracy", "forbidden_errors"))
    found = {}
    for variant, pooling in cells:
        mine = ((text["variant"] == variant) & (text["pooling"] == pooling) & (text["layer"] == LAYER)
                & (text["head"] == "mlp") & (text["split"] == "test") & numpy.isin(seeds, SEEDS))
        if sorted(seeds[mine]) != list(SEEDS):
            sys.exit(f"{run}: no seeds {SEEDS.start} to {SEEDS.stop - 1} of {variant} {LAYER}/{pooling}")
        found[variant, pooling] = numpy.stack([accuracy[mine], forbidden[mine]], axis=1)
    return found


def compare(cells, ours, theirs):
    """Prints the table; the largest difference of accuracies in points."""
    print(f"{'variant':<8} {'pooling':<11} {'moesweep %':>15} {'PyTorch %':>15} {'points':>15}   "
          f"{'forbidden':>13} {'PyTorch':>13} {'difference':>14}")
    largest = 0.0
    for cell in cells:
        means = [values[cell].mean(axis=0) * (100.0, 1.0) for values in (ours, theirs)]
        errors = [values[cell].std(axis=0, ddof=1) * (100.0, 1.0) / math.sqrt(len(SEEDS)) for values in (ours, theirs)]
        difference, error = means[0] - means[1], numpy.hypot(*errors)
        columns = [f"{mean[0]:7.2f} +- {se[0]:4.2f}" for mean, se in zip(means, errors)]
        columns.append(f"{difference[0]:+7.2f} +- {error[0]:4.2f}  ")
        columns += [f"{mean[1]:5.2f} +- {se[1]:4.2f}" for mean, se in zip(means, errors)]
        columns.append(f"{difference[1]:+6.2f} +- {error[1]:4.2f}")
        print(f"{cell[0]:<8} {cell[1]:<11} " + " ".join(f"{column:>13}" for column in columns))
        largest = max(largest, abs(difference[0]))
    print(f"+-: standard errors over {len(SEEDS)} seeds; largest difference {largest:.2f} points of accuracy, "
          f"{MOST_POINTS} allowed")
    return largest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache_dir", type=pathlib.Path)
    parser.add_argument("--run", type=pathlib.Path, help="run directory with heads of these seeds")
    parser.add_argument("--moesweep", default=os.environ.get("MOESWEEP"), help="program that trains them, without --run")
    parser.add_argument("--variants", nargs="+", default=["bf16", "8bit", "4bit", "3bit", "2bit"])
    options = parser.parse_args()
    if not options.run and not options.moesweep:
        parser.error("--run or --moesweep")
    cells = [(variant, pooling) for variant in options.variants for pooling in POOLINGS]
    with tempfile.TemporaryDirectory() as work:
        run = options.run or run_moesweep(options.moesweep, options.cache_dir, options.variants, pathlib.Path(work))
        ours = moesweep_all(run, cells)
    theirs = pytorch_all(options.cache_dir, cells)
    sys.exit(1 if compare(cells, ours, theirs) > MOST_POINTS else 0)


if __name__ == "__main__":
    main()

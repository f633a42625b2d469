#!/usr/bin/python3
"""torch_heads.py SEEDS EPOCHS [SAMPLES DIM]: what heads_bench does, in PyTorch the way a careful script would.

One process a core, one thread each; a process takes the next seed when it is done with one. The clock runs from when
all processes have the features in memory until the last seed is trained. Prints a line of JSON.
"""
import json
import multiprocessing
import os
import sys
import time

import torch

WIDTH, CLASSES, BATCH, DROPOUT, LEARNING_RATE = 256, 3, 64, 0.1, 1e-3


def train(features, labels, seed, epochs):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(features.shape[1], WIDTH), torch.nn.GELU(), torch.nn.Dropout(DROPOUT),
                              torch.nn.Linear(WIDTH, CLASSES))
    adam = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    for _ in range(epochs):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            adam.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(net(features[chosen]), labels[chosen]).backward()
            adam.step()


def work(next_seed, start, seeds, epochs, samples, inputs):
    torch.set_num_threads(1)
    features = torch.randn(samples, inputs, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(samples) % CLASSES
    train(features[:BATCH], labels[:BATCH], 0, 1)  # warm
    start.wait()
    while True:
        with next_seed.get_lock():
            seed, next_seed.value = next_seed.value, next_seed.value + 1
        if seed >= seeds:
            return
        train(features, labels, seed, epochs)


def main():
    seeds, epochs = int(sys.argv[1]), int(sys.argv[2])
    samples, inputs = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 4 else (2975, 2560)
    cores = len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    next_seed, start = context.Value("q", 0), context.Barrier(cores + 1)
    workers = [context.Process(target=work, args=(next_seed, start, seeds, epochs, samples, inputs))
               for _ in range(cores)]
    for worker in workers:
        worker.start()
    start.wait()
    begin = time.monotonic()
    for worker in workers:
        worker.join()
    seconds = time.monotonic() - begin
    if any(worker.exitcode for worker in workers):
        sys.exit("a process failed")
    print(json.dumps({"seeds": seeds, "epochs": epochs, "processes": cores, "seconds": round(seconds, 3),
                      "core_seconds_per_epoch_and_seed": seconds * cores / (seeds * epochs)}))


if __name__ == "__main__":
    main()

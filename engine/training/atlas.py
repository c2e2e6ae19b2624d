"""Makes the embedded models' atlas and puts it beside them, so that no user waits for it."""

import argparse
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from engine.models import generator, perceptor, registry
from engine.search import atlas

CPU = torch.device("cpu")


def main(argv: list[str]) -> int:
    """Write `weights/atlas.safetensors`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.training atlas", description=__doc__)
    parser.parse_args(argv)
    pair = registry.pair("pocket", Path())
    generate = generator.load(pair.generator, pair.generator_name, CPU)
    perceive = perceptor.load_all(pair.perceptors, pair.perceptor_names, CPU)
    with tqdm(total=generate.classes, unit="class", file=sys.stderr) as bar:
        names = atlas.read_names(pair.generator)
        made = atlas.make(generate, perceive, CPU, names, lambda done: bar.update(done - bar.n))
    path = pair.generator.parent / atlas.FILE
    atlas.write(path, made, registry.fingerprint(pair))
    print(f"{path}: {made.shape[0]} classes, {path.stat().st_size / 1e6:.2f} MB")
    return 0

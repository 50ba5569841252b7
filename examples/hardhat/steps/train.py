"""Trains a detector from a base model on new frames, with replay of old ones. See valohai.yaml for the parameters."""

import argparse
import hashlib
import json
import os
import time

import numpy as np
import onnx
import torch

from checkpoint import Checkpoint
from dataset import load_items, read_classes, read_split
from failures import StepFailure
from model_info import info_of, set_metadata
from onnx_module import OnnxModule, write_back
from rehead import with_classes
from trainer_loop import Recipe, train
from training_plan import TrainingPlan
from valohai_runtime import input_file, inputs_dir, log, metadata, outputs_dir, run_step, write_json

VALIDATION_FRAMES_MAX = 80
DEFAULT_BASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "worksite-base.onnx")


def parse_arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=4e-4)
    parser.add_argument("--replay", type=int, default=96, help="old frames shown in each epoch")
    parser.add_argument("--jitter", type=float, default=0.5, help="share of replayed frames shown in random light")
    parser.add_argument("--mosaic", type=float, default=0.0, help="share of samples made of four pictures")
    parser.add_argument("--distillation", type=float, default=0.0, help="weight of agreeing with the base on replayed frames")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-budget-seconds", type=float, default=0, help="finish within this time; 0 = no limit")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--version", default="", help="written to the model's metadata")
    given = parser.parse_args(words)
    for name in ("epochs", "batch", "threads"):
        if getattr(given, name) < 1:
            raise StepFailure(f"--{name} must be at least 1, got {getattr(given, name)}")
    return given


def main():
    given = parse_arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    folder = inputs_dir("dataset")
    names = read_classes(folder)
    split = read_split(folder)
    base_path = input_file("base", [".onnx"], optional=True) or DEFAULT_BASE
    base = with_classes(load_base(base_path), names)
    info = info_of(base)
    size = (info.height, info.width)
    log(f"base {os.path.basename(base_path)}, input {info.width} x {info.height}, classes {', '.join(names)}")
    items, replayed, validation = load_parts(folder, split, size, names)
    module = OnnxModule(base)
    plan = TrainingPlan(items, replayed, given.batch, given.replay, given.jitter, given.mosaic, given.seed)
    checkpoint = Checkpoint(os.path.join(outputs_dir(), "checkpoint.pt"), fingerprint(given, split, base_path))
    recipe = Recipe(given.epochs, given.learning_rate, given.distillation, given.time_budget_seconds, size[0], len(names))
    started = time.monotonic()
    history = train(module, plan, recipe, validation, checkpoint)
    model = write_model(module, given, names)
    write_json(os.path.join(outputs_dir(), "training.json"), summary(given, split, history, base_path, time.monotonic() - started))
    checkpoint.remove()
    metadata(trained=True, seconds=round(time.monotonic() - started, 1), weights=sum(value.numel() for value in module.parameters()), model=info_of(model).metadata["version"])


def load_base(path):
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
        return model
    except (OSError, ValueError, onnx.checker.ValidationError) as cause:
        raise StepFailure(f"{path} is not a readable ONNX model ({type(cause).__name__}: {str(cause).splitlines()[0]})") from cause
    except Exception as cause:  # protobuf raises DecodeError, whose module differs between versions
        if type(cause).__name__ != "DecodeError":
            raise
        raise StepFailure(f"{path} is not an ONNX file; bring the file that the export wrote") from cause


def load_parts(folder, split, size, names):
    started = time.monotonic()
    items, replayed = (load_items(folder, split[part], size, len(names)) for part in ("train", "replay"))
    if not items:
        items, replayed = replayed, []
    if not any(len(item.boxes) for item in items + replayed):
        raise StepFailure("no training sample has a labelled box; label some frames first")
    slices = slices_of(folder)
    validation = {}
    for name in split["holdout"][:VALIDATION_FRAMES_MAX]:
        validation.setdefault(slices.get(name, "all"), []).append(name)
    loaded = {key: load_items(folder, part, size, len(names)) for key, part in sorted(validation.items())}
    metadata(samples=len(items), replay=len(replayed), holdout=len(split["holdout"]), load_seconds=round(time.monotonic() - started, 1))
    return items, replayed, loaded


def slices_of(folder):
    path = os.path.join(folder, "slices.json")
    if not os.path.isfile(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def fingerprint(given, split, base_path):
    """A checkpoint is continued only by the same training: parameters, samples and base all equal."""
    with open(base_path, "rb") as file:
        base = hashlib.sha256(file.read()).hexdigest()
    told = {key: value for key, value in vars(given).items() if key not in ("threads", "time_budget_seconds")}
    return hashlib.sha256(json.dumps([told, split, base], sort_keys=True).encode()).hexdigest()


def write_model(module, given, names):
    fields = {"names": repr(dict(enumerate(names)))}
    if given.version:
        fields["version"] = given.version
    set_metadata(module.model, fields)
    if "version" not in info_of(module.model).metadata:
        set_metadata(module.model, {"version": "unversioned"})
    return write_back(module, os.path.join(outputs_dir(), "model.onnx"))


def summary(given, split, history, base_path, seconds):
    with open(base_path, "rb") as file:
        base = hashlib.sha256(file.read()).hexdigest()
    return {
        "base": {"file": os.path.basename(base_path), "sha256": base},
        "counts": {part: len(names) for part, names in split.items()},
        "epochs": history,
        "parameters": vars(given),
        "seconds": round(seconds, 3),
        "versions": {"torch": torch.__version__, "onnx": onnx.__version__, "numpy": np.__version__},
    }


if __name__ == "__main__":
    run_step(main)

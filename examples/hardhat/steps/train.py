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
from classes import class_map, classes_for
from dataset import count_boxes, load_items, read_classes, read_split
from dataset_archive import open_dataset
from failures import StepFailure
from model_info import info_of, set_metadata
from onnx_module import OnnxModule, write_back
from rehead import with_classes
from trainer_loop import Recipe, train
from training_plan import TrainingPlan
from valohai_runtime import input_file, inputs_dir, log, metadata, outputs_dir, run_step, write_json

VALIDATION_FRAMES_MAX = 80
# Weights of a first model where no base is handed in.
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
    parser.add_argument("--first-epochs", type=int, default=12, help="epochs where no sample is newly collected: a first model")
    parser.add_argument("--first-learning-rate", type=float, default=1e-3)
    parser.add_argument("--first-mosaic", type=float, default=0.5)
    parser.add_argument("--replace-classes", type=word_of_truth, default=False, help="learn the dataset's classes, whatever the base knows")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-budget-seconds", type=float, default=0, help="finish within this time; 0 = no limit")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--version", default="", help="written to the model's metadata")
    given = parser.parse_args(words)
    for name in ("epochs", "batch", "threads", "first_epochs"):
        if getattr(given, name) < 1:
            raise StepFailure(f"--{name.replace('_', '-')} must be at least 1, got {getattr(given, name)}")
    return given


def word_of_truth(word):
    if word.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"expected true or false, got {word}")
    return word.lower() == "true"


def main():
    given = parse_arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    folder = open_dataset(inputs_dir("dataset"))
    split = read_split(folder)
    base_path = input_file("base", [".onnx"], optional=True)
    base, known = base_and_classes(folder, split, base_path, given.replace_classes)
    base_path = base_path or DEFAULT_BASE
    info = info_of(base)
    size = (info.height, info.width)
    log(f"base {os.path.basename(base_path)}, input {info.width} x {info.height}, classes {', '.join(info.names)}")
    items, replayed, validation = load_parts(folder, split, size, known)
    module = OnnxModule(base)
    if not split["replay"]:
        given.epochs, given.learning_rate, given.mosaic = given.first_epochs, given.first_learning_rate, given.first_mosaic
    plan = TrainingPlan(items, replayed, given.batch, given.replay, given.jitter, given.mosaic, given.seed)
    work = os.environ.get("EDGELOOP_WORK_DIR") or outputs_dir()
    checkpoint = Checkpoint(os.path.join(work, "checkpoint.pt"), fingerprint(given, split, base_path))
    recipe = Recipe(given.epochs, given.learning_rate, given.distillation, given.time_budget_seconds, size[0], len(info.names))
    started = time.monotonic()
    history = train(module, plan, recipe, validation, checkpoint)
    write_model(module, given)
    write_json(os.path.join(outputs_dir(), "training.json"), summary(given, split, history, base_path, time.monotonic() - started))
    checkpoint.remove()
    metadata(trained=True, seconds=round(time.monotonic() - started, 1), weights=sum(value.numel() for value in module.parameters()))


def base_and_classes(folder, split, base_path, replace_classes):
    """The base with the classes that it shall learn, and the model's class id per dataset's class id."""
    names = read_classes(folder)
    base = load_base(base_path or DEFAULT_BASE)
    counts = count_boxes(folder, split["train"] + split["replay"], len(names))
    learned = classes_for(names, counts, info_of(base).names, keep_base=base_path is not None and not replace_classes)
    left_out = [name for name in names if name not in learned]
    if left_out:
        log(f"left out: boxes of {', '.join(left_out)}, which this model does not learn")
    return with_classes(base, learned), class_map(names, learned)


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


def load_parts(folder, split, size, known):
    """Samples to learn, samples to replay, and per slice some of the holdout to show progress with."""
    started = time.monotonic()
    items, replayed = (load_items(folder, split[part], size, known) for part in ("train", "replay"))
    if not any(len(item.boxes) for item in items + replayed):
        raise StepFailure("no training sample has a labelled box; label some frames first")
    slices = slices_of(folder)
    validation = {}
    for name in split["holdout"][:VALIDATION_FRAMES_MAX]:
        validation.setdefault(slices.get(f"{name}.jpg", "all"), []).append(name)
    loaded = {key: load_items(folder, part, size, known) for key, part in sorted(validation.items())}
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


def write_model(module, given):
    """The base's metadata stays; the version is the run's."""
    version = given.version or os.environ.get("EDGELOOP_MODEL_VERSION")
    if version:
        set_metadata(module.model, {"version": version})
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

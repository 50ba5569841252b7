"""Pre-process: a dataset snapshot and its pictures -> a checked training folder, packed as dataset.tar.

Inputs: snapshot (snapshot.json), samples (<sha256>.jpg). Everything that would spoil a training is refused here, with
the sample, the box and what to do.
"""

import hashlib
import json
import os
import shutil
import tempfile

from dataset import check_box, check_classes, open_picture
from dataset_archive import ARCHIVE, pack
from failures import StepFailure
from valohai_runtime import input_file, inputs_dir, log, metadata, outputs_dir, run_step, write_json

PROGRESS_EVERY = 200
DIGEST = "sha256:"


def main():
    manifest = input_file("snapshot", [".json"])
    snapshot, digest = read_snapshot(manifest)
    names = check_classes([str(name) for name in snapshot["classes"]], f"{manifest} classes")
    folder = tempfile.mkdtemp(prefix="dataset-", dir=os.environ.get("EDGELOOP_WORK_DIR"))
    try:
        items = write_samples(snapshot, names, folder)
        split = split_of(items)
        check_content(items, split, names)
        counts = write_lists(folder, items, split, names)
        about = {"datasetId": snapshot.get("datasetId"), "version": snapshot.get("version"), "digest": digest, "classes": names, "counts": counts}
        write_json(os.path.join(folder, "dataset.json"), about)
        pack(folder, os.path.join(outputs_dir(), ARCHIVE))
        write_json(os.path.join(outputs_dir(), "dataset.json"), about)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    metadata(**{f"samples_{part}": count for part, count in counts["samples"].items()}, **{f"boxes_{name}": count for name, count in counts["boxes"].items()})


def read_snapshot(path):
    try:
        with open(path, "rb") as file:
            content = file.read()
        snapshot = json.loads(content, parse_constant=float)
    except (OSError, ValueError) as cause:
        raise StepFailure(f"{path} is not readable JSON ({cause}); export the dataset snapshot again") from cause
    if not isinstance(snapshot, dict) or not isinstance(snapshot.get("classes"), list) or not isinstance(snapshot.get("items"), list):
        raise StepFailure(f"{path} is not a dataset snapshot: classes and items are missing; export it again")
    if not snapshot["items"]:
        raise StepFailure(f"{path} has no items; label some frames first")
    return snapshot, DIGEST + hashlib.sha256(content).hexdigest()


def write_samples(snapshot, names, folder):
    """Checks and writes every picture and label; returns name -> (split, origin, slice, class ids)."""
    for part in ("images", "labels"):
        os.makedirs(os.path.join(folder, part))
    written = {}
    for index, item in enumerate(snapshot["items"]):
        where = f"snapshot item {index + 1} (sample {item.get('sampleId', '?')})"
        name, picture = picture_of(item, where)
        boxes = boxes_of(item, names, where)
        if name in written:
            log(f"{where}: the same picture stands in the snapshot twice; the second is left out")
            continue
        shutil.copyfile(picture, os.path.join(folder, "images", f"{name}.jpg"))
        with open(os.path.join(folder, "labels", f"{name}.txt"), "w", encoding="utf-8") as file:
            file.writelines(f"{int(box[0])} " + " ".join(f"{value:.6f}" for value in box[1:]) + "\n" for box in boxes)
        written[name] = (item.get("split"), item.get("origin"), str(item.get("slice", "all")), [int(box[0]) for box in boxes])
        if (index + 1) % PROGRESS_EVERY == 0:
            metadata(step=index + 1, steps=len(snapshot["items"]))
    return written


def picture_of(item, where):
    """Name and path of the item's picture, its bytes checked against the digest and decoded once."""
    digest = str(item.get("picture", {}).get("digest", ""))
    if not digest.startswith(DIGEST):
        raise StepFailure(f"{where}: picture.digest is {digest!r}, expected sha256:<hex>")
    name = digest[len(DIGEST) :]
    path = os.path.join(inputs_dir("samples"), f"{name}.jpg")
    if not os.path.isfile(path):
        raise StepFailure(f"{where}: {path} is missing; the snapshot names a picture that was not handed in")
    with open(path, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != name:
            raise StepFailure(f"{where}: {path} has other bytes than its digest says; fetch it again")
    open_picture(path)
    return name, path


def boxes_of(item, names, where):
    boxes = item.get("label", {}).get("boxes", [])
    fields = ("classId", "cx", "cy", "w", "h")
    return [check_box([box.get(field) for field in fields], len(names), f"{where} box {number}") for number, box in enumerate(boxes, 1)]


def split_of(items):
    """train: newly collected; replay: what was known before; holdout: for judging only. A first dataset is all train."""
    split = {"train": [], "replay": [], "holdout": []}
    for name, (part, origin, _, _) in items.items():
        if part not in ("train", "holdout"):
            raise StepFailure(f"picture {name}: split is {part!r}, expected train or holdout")
        split["holdout" if part == "holdout" else "train" if origin == "collected" else "replay"].append(name)
    if not split["train"]:
        split["train"], split["replay"] = split["replay"], []
    return {part: sorted(names) for part, names in split.items()}


def check_content(items, split, names):
    taught = [class_id for name in split["train"] + split["replay"] for class_id in items[name][3]]
    if not split["train"]:
        raise StepFailure("every sample is in the holdout; a training needs samples in the train split")
    if not taught:
        raise StepFailure("no training sample has a box; label some frames first")
    if len(set(taught)) == 1:
        raise StepFailure(f"all {len(taught)} training boxes are of the class {names[taught[0]]}; label at least one more class")


def write_lists(folder, items, split, names):
    with open(os.path.join(folder, "classes.txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)
    write_json(os.path.join(folder, "split.json"), split)
    write_json(os.path.join(folder, "slices.json"), {f"{name}.jpg": item[2] for name, item in items.items()})
    boxes = [class_id for item in items.values() for class_id in item[3]]
    return {"samples": {part: len(members) for part, members in split.items()}, "boxes": {name: boxes.count(index) for index, name in enumerate(names)}}


if __name__ == "__main__":
    run_step(main)

import json
import os
import tempfile
import unittest

import numpy as np
import onnx

from tests.run_a_step import run_a_step
from tests.samples import BASE, save_snapshot, write_snapshot, write_training_folder

from dataset import read_labels, read_split
from dataset_archive import open_dataset, pack
from failures import StepFailure
from model_info import info_of


class InAFolder(unittest.TestCase):
    def setUp(self):
        self._temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self._temporary.cleanup)
        self.inputs = os.path.join(self._temporary.name, "inputs")
        self.outputs = os.path.join(self._temporary.name, "outputs")
        os.makedirs(self.inputs)

    def output(self, name):
        with open(os.path.join(self.outputs, name), encoding="utf-8") as file:
            return json.load(file)


class PreProcess(InAFolder):
    def fails(self, pattern):
        ended = run_a_step("preprocess.py", self.inputs, self.outputs)
        self.assertEqual(ended.code, 2, ended)
        self.assertRegex(ended.err, pattern)
        self.assertEqual(len(ended.err.strip().splitlines()), 1, ended.err)
        self.assertEqual(os.listdir(self.outputs), [])

    def test_a_snapshot_becomes_a_training_folder(self):
        write_snapshot(self.inputs, 8)
        ended = run_a_step("preprocess.py", self.inputs, self.outputs)
        self.assertEqual(ended.code, 0, ended.err)
        folder = open_dataset(self.outputs)
        split = read_split(folder)
        self.assertEqual({part: len(names) for part, names in split.items()}, {"train": 4, "replay": 2, "holdout": 2})
        self.assertEqual(self.output("dataset.json")["counts"]["boxes"], {"helmet": 8, "head": 8})
        labels = read_labels(os.path.join(folder, "labels", f"{split['train'][0]}.txt"), 2)
        self.assertEqual(labels.shape, (2, 5))

    def test_the_same_snapshot_gives_the_same_bytes(self):
        write_snapshot(self.inputs, 4)
        packed = []
        for folder in ("a", "b"):
            run_a_step("preprocess.py", self.inputs, os.path.join(self.outputs, folder))
            with open(os.path.join(self.outputs, folder, "dataset.tar"), "rb") as file:
                packed.append(file.read())
        self.assertEqual(packed[0], packed[1])

    def change(self, edit):
        snapshot = write_snapshot(self.inputs, 4)
        edit(snapshot)
        save_snapshot(self.inputs, snapshot)

    def test_a_picture_that_cannot_be_read(self):
        snapshot = write_snapshot(self.inputs, 4)
        name = snapshot["items"][2]["picture"]["digest"][7:] + ".jpg"
        with open(os.path.join(self.inputs, "samples", name), "r+b") as file:
            file.truncate(300)
        self.fails(rf"item 3 .*{name}.*other bytes")

    def test_a_picture_that_was_stored_broken(self):
        import hashlib

        snapshot = write_snapshot(self.inputs, 4)
        broken = b"\xff\xd8\xff not a picture"
        name = hashlib.sha256(broken).hexdigest()
        with open(os.path.join(self.inputs, "samples", f"{name}.jpg"), "wb") as file:
            file.write(broken)
        snapshot["items"][1]["picture"]["digest"] = f"sha256:{name}"
        save_snapshot(self.inputs, snapshot)
        self.fails(rf"{name}.*not a readable picture.*replace or remove")

    def test_a_label_that_is_not_a_number(self):
        self.change(lambda snapshot: snapshot["items"][1]["label"]["boxes"][0].update(cx=float("nan")))
        self.fails(r"item 2 \(sample s1\) box 1: cx is nan")

    def test_a_class_out_of_range(self):
        self.change(lambda snapshot: snapshot["items"][3]["label"]["boxes"][1].update(classId=2))
        self.fails(r"item 4 \(sample s3\) box 2: class 2 is out of range.*0 to 1")

    def test_a_dataset_of_no_or_one_class(self):
        self.change(lambda snapshot: snapshot.update(classes=["helmet"]))
        self.fails("1 class, a detector needs at least 2")

    def test_no_classes(self):
        self.change(lambda snapshot: snapshot.update(classes=[]))
        self.fails("0 classes, a detector needs at least 2")

    def test_boxes_of_one_class_alone(self):
        def edit(snapshot):
            for item in snapshot["items"]:
                item["label"]["boxes"] = item["label"]["boxes"][:1]

        self.change(edit)
        self.fails("all 3 training boxes are of the class helmet")

    def test_no_boxes_and_no_items(self):
        self.change(lambda snapshot: [item["label"].update(boxes=[]) for item in snapshot["items"]])
        self.fails("no training sample has a box")

    def test_something_that_is_no_snapshot(self):
        write_snapshot(self.inputs, 4)
        with open(os.path.join(self.inputs, "snapshot", "snapshot.json"), "w", encoding="utf-8") as file:
            file.write("{")
        self.fails("not readable JSON")


class Train(InAFolder):
    WORDS = ("--epochs=2", "--batch=2", "--replay=2", "--seed=5")

    def prepare(self):
        split = write_training_folder(os.path.join(self.inputs, "dataset"), 8)
        os.makedirs(os.path.join(self.inputs, "base"))
        os.symlink(os.path.abspath(BASE), os.path.join(self.inputs, "base", "base.onnx"))
        return split

    def test_a_model_comes_out_with_its_history(self):
        self.prepare()
        ended = run_a_step("train.py", self.inputs, self.outputs, *self.WORDS, EDGELOOP_MODEL_VERSION="v7")
        self.assertEqual(ended.code, 0, ended.err)
        model = onnx.load(os.path.join(self.outputs, "model.onnx"))
        self.assertEqual((info_of(model).names, info_of(model).metadata["version"]), (["helmet", "head"], "v7"))
        told = self.output("training.json")
        self.assertEqual(len(told["epochs"]), 2)
        self.assertEqual(told["counts"], {"train": 4, "replay": 2, "holdout": 2})
        lines = [json.loads(line) for line in ended.out.splitlines()]
        self.assertEqual([line["epoch"] for line in lines if "epoch" in line], [1, 2])
        self.assertTrue(all("val_map50" in line for line in lines if "epoch" in line))
        self.assertEqual(sorted(os.listdir(self.outputs)), ["model.onnx", "training.json"])

    def test_a_killed_training_goes_on_where_it_was_and_ends_the_same(self):
        self.prepare()
        whole = os.path.join(self.outputs, "whole")
        self.assertEqual(run_a_step("train.py", self.inputs, whole, *self.WORDS).code, 0)
        cut = os.path.join(self.outputs, "cut")
        self.die_after_an_epoch(cut)
        self.assertTrue(os.path.isfile(os.path.join(cut, "checkpoint.pt")))
        ended = run_a_step("train.py", self.inputs, cut, *self.WORDS)
        self.assertIn("continuing after epoch 1 of 2", ended.err)
        expected, found = (onnx.load(os.path.join(folder, "model.onnx")) for folder in (whole, cut))
        # Sums on two threads are not the same to the last bit, and training makes the difference grow; another path would be far off.
        one, other = (np.concatenate([onnx.numpy_helper.to_array(each).ravel() for each in model.graph.initializer if each.data_type == onnx.TensorProto.FLOAT])
                      for model in (expected, found))
        self.assertLess(np.linalg.norm(one - other) / np.linalg.norm(one), 1e-2)

    def die_after_an_epoch(self, outputs):
        """SIGKILL at the first checkpoint, as a power cut would."""
        import subprocess
        import sys

        from tests.samples import STEPS

        script = (
            "import os, signal, sys; sys.path.insert(0, sys.argv.pop(1)); import checkpoint, train; save = checkpoint.Checkpoint.save\n"
            "def dying(self, **state): save(self, **state); os.kill(os.getpid(), signal.SIGKILL)\n"
            "checkpoint.Checkpoint.save = dying; train.main()"
        )
        os.makedirs(outputs)
        variables = {**os.environ, "VH_INPUTS_DIR": self.inputs, "VH_OUTPUTS_DIR": outputs}
        variables.pop("EDGELOOP_WORK_DIR", None)
        done = subprocess.run([sys.executable, "-c", script, STEPS, *self.WORDS], env=variables, capture_output=True, check=False)
        self.assertEqual(done.returncode, -9, done.stderr)

    def test_classes_that_the_base_does_not_know_are_left_out_and_missing_ones_refused(self):
        self.prepare()
        classes = os.path.join(self.inputs, "dataset", "classes.txt")
        with open(classes, "w", encoding="utf-8") as file:
            file.write("helmet\nhat\n")
        ended = run_a_step("train.py", self.inputs, self.outputs, *self.WORDS)
        self.assertEqual(ended.code, 2, ended)
        self.assertRegex(ended.err, r"classes \(helmet, head\) don't match the dataset's \(helmet, hat\): head missing")

    def test_a_base_that_is_no_onnx_file(self):
        self.prepare()
        base = os.path.join(self.inputs, "base", "base.onnx")
        os.remove(base)
        with open(base, "wb") as file:
            file.write(b"no model")
        ended = run_a_step("train.py", self.inputs, self.outputs, *self.WORDS)
        self.assertEqual((ended.code, len(ended.err.strip().splitlines())), (2, 1), ended.err)
        self.assertRegex(ended.err, "is not an? ")


class Deploy(InAFolder):
    def bring(self, model):
        os.makedirs(os.path.join(self.inputs, "model"))
        onnx.save_model(model, os.path.join(self.inputs, "model", "mine.onnx"))

    def test_the_card_says_what_the_packager_needs(self):
        self.bring(onnx.load(BASE))
        ended = run_a_step("deploy.py", self.inputs, self.outputs, "--threshold=0.35")
        self.assertEqual(ended.code, 0, ended.err)
        card = self.output("model.json")
        self.assertEqual((card["classes"], card["thresholds"], card["nmsIou"], card["layout"]), (["helmet", "head"], [0.35, 0.35], 0.5, "yolov5"))
        self.assertEqual(card["input"], {"width": 320, "height": 256, "range": "0..1", "order": "RGB"})

    def test_an_imported_model_gets_the_same_card(self):
        self.bring(onnx.load(BASE))
        self.assertEqual(run_a_step("import_model.py", self.inputs, self.outputs).code, 0)
        self.assertEqual(self.output("model.json")["origin"], {"imported": True})

    def test_weights_in_another_file_are_refused(self):
        os.makedirs(os.path.join(self.inputs, "model"))
        path = os.path.join(self.inputs, "model", "mine.onnx")
        onnx.save_model(onnx.load(BASE), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
        ended = run_a_step("import_model.py", self.inputs, self.outputs)
        self.assertEqual(ended.code, 2, ended)
        self.assertRegex(ended.err, "weights in another file")

    def test_a_model_without_class_names_is_refused(self):
        model = onnx.load(BASE)
        del model.metadata_props[:]
        self.bring(model)
        ended = run_a_step("import_model.py", self.inputs, self.outputs)
        self.assertEqual(ended.code, 2, ended)
        self.assertRegex(ended.err, "does not name its classes")


class Archive(InAFolder):
    def test_a_path_that_leads_out_is_refused(self):
        import io
        import tarfile

        with tarfile.open(os.path.join(self.inputs, "dataset.tar"), "w") as archive:
            member = tarfile.TarInfo("../outside.txt")
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
        with self.assertRaisesRegex(StepFailure, "no plain file"):
            open_dataset(self.inputs)

    def test_times_and_owners_of_files_do_not_show(self):
        folder = os.path.join(self.inputs, "f")
        os.makedirs(folder)
        packed = []
        for when in (1, 2_000_000_000):
            path = os.path.join(folder, "a.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write("x")
            os.utime(path, (when, when))
            pack(folder, os.path.join(self.inputs, "a.tar"))
            with open(os.path.join(self.inputs, "a.tar"), "rb") as file:
                packed.append(file.read())
        self.assertEqual(packed[0], packed[1])


if __name__ == "__main__":
    unittest.main()

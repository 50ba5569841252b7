import os
import tempfile
import unittest

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.samples import BASE

from failures import StepFailure
from model_info import info_of
from onnx_module import OnnxModule, write_back
from rehead import with_classes
from yolox_graph import class_count
from yolox_loss import decode

SHARED = os.environ.get("EDGELOOP_SHARED_DATA", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..", "shared", "data"))
V3 = os.path.join(SHARED, "models", "hardhat-yolox-nano-416-v3.onnx")
COCO = os.path.join(SHARED, "models", "coco-yolox-nano-416.onnx")


def rows_of(module, images):
    """What the file's own decoding gives, from the walked module: [1, n, 5 + classes]."""
    with torch.no_grad():
        found = decode(module.eval()(torch.from_numpy(images)), images.shape[2])
    return torch.cat([found.boxes, found.objectness.sigmoid().unsqueeze(2), found.classes.sigmoid()], dim=2).numpy()


class ForwardParity(unittest.TestCase):
    def check(self, path):
        model = onnx.load(path)
        info = info_of(model)
        images = np.random.default_rng(1).random((1, 3, info.height, info.width), dtype=np.float32)
        expected = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: images})[0]
        found = rows_of(OnnxModule(model), images)
        np.testing.assert_allclose(found[..., 4:], expected[..., 4:], atol=1e-5)
        np.testing.assert_allclose(found[..., :4], expected[..., :4], rtol=2e-4, atol=2e-3)

    def test_the_worksite_model(self):
        self.check(BASE)

    @unittest.skipUnless(os.path.isfile(V3), f"{V3} is not here")
    def test_a_yolox_of_another_origin(self):
        self.check(V3)


class WriteBack(unittest.TestCase):
    def test_changed_weights_come_back_and_metadata_stays(self):
        module = OnnxModule(onnx.load(BASE))
        with torch.no_grad():
            for value in module.parameters():
                value.add_(0.01 * torch.sign(value))
        images = np.random.default_rng(2).random((1, 3, 256, 320), dtype=np.float32)
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "model.onnx")
            write_back(module, target)
            again = onnx.load(target)
            np.testing.assert_array_equal(rows_of(OnnxModule(again), images), rows_of(module, images))
            self.assertEqual(info_of(again), info_of(onnx.load(BASE)))
            self.assertEqual(os.listdir(folder), ["model.onnx"])
        self.assertFalse(np.array_equal(rows_of(module, images), rows_of(OnnxModule(onnx.load(BASE)), images)))

    def test_every_convolution_is_trained(self):
        model = onnx.load(BASE)
        sizes = {item.name: int(np.prod(item.dims)) for item in model.graph.initializer}
        expected = sum(sizes[name] for node in model.graph.node if node.op_type == "Conv" for name in node.input[1:])
        self.assertEqual(sum(value.numel() for value in OnnxModule(model).parameters()), expected)


class NewClasses(unittest.TestCase):
    def test_other_classes_get_new_heads_on_the_same_body(self):
        model = onnx.load(BASE)
        names = ["helmet", "head", "vest"]
        renewed = with_classes(model, names)
        self.assertEqual((info_of(renewed).names, class_count(renewed)), (names, 3))
        images = np.random.default_rng(3).random((1, 3, 256, 320), dtype=np.float32)
        old, new = rows_of(OnnxModule(model), images), rows_of(OnnxModule(renewed), images)
        np.testing.assert_array_equal(new[..., :5], old[..., :5])
        expected = ReferenceEvaluator(renewed).run(None, {"images": images})[0]
        np.testing.assert_allclose(new, expected, rtol=2e-4, atol=2e-3)

    def test_the_same_classes_change_nothing(self):
        model = onnx.load(BASE)
        self.assertIs(with_classes(model, ["helmet", "head"]), model)

    @unittest.skipUnless(os.path.isfile(COCO), f"{COCO} is not here")
    def test_a_file_without_decoding_or_metadata_gets_both(self):
        renewed = with_classes(onnx.load(COCO), ["helmet", "head"])
        dims = [item.dim_value for item in renewed.graph.output[0].type.tensor_type.shape.dim]
        self.assertEqual((dims, info_of(renewed).names), ([1, 3549, 7], ["helmet", "head"]))


class OtherGraphs(unittest.TestCase):
    def graph(self, operation):
        weight = numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "w")
        node = helper.make_node(operation, ["images", "w"] if operation == "Conv" else ["images"], ["out"])
        shapes = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, channels, 8, 8]) for name, channels in (("images", 3), ("out", 4))]
        return helper.make_model(helper.make_graph([node], "other", shapes[:1], shapes[1:], [weight]))

    def test_a_graph_without_a_yolox_head_is_refused_in_words(self):
        with self.assertRaisesRegex(StepFailure, "no YOLOX head"):
            OnnxModule(self.graph("Conv"))

    def test_an_operation_that_cannot_be_trained_is_named(self):
        model = onnx.load(BASE)
        for node in model.graph.node:
            if node.op_type == "Relu":
                node.op_type = "Erf"
                break
        with self.assertRaisesRegex(StepFailure, "operation Erf"):
            OnnxModule(model)

    def test_weights_in_a_constant_node_are_refused_since_they_could_not_be_written_back(self):
        model = onnx.load(BASE)
        body = next(node for node in model.graph.node if node.op_type == "Conv")
        stored = next(item for item in model.graph.initializer if item.name == body.input[1])
        node = helper.make_node("Constant", [], [stored.name], value=numpy_helper.from_array(numpy_helper.to_array(stored)))
        model.graph.initializer.remove(stored)
        model.graph.node.insert(0, node)
        onnx.checker.check_model(model)
        with self.assertRaisesRegex(StepFailure, f"weight {stored.name} of Conv .* no initializer.*onnxsim"):
            OnnxModule(model)

    def test_a_pool_that_torch_would_do_otherwise_is_refused(self):
        for given, words in (({"ceil_mode": 1}, "ceil_mode 1"), ({"dilations": [2, 2]}, r"dilations \[2, 2\]")):
            model = onnx.load(BASE)
            place, first = next((place, node) for place, node in enumerate(model.graph.node) if node.op_type == "Relu")
            pool = helper.make_node("MaxPool", first.input, first.output, name="pool", kernel_shape=[1, 1], **given)
            model.graph.node.remove(first)
            model.graph.node.insert(place, pool)
            with self.subTest(words), self.assertRaisesRegex(StepFailure, f"MaxPool pool has {words}.* export the model with"):
                OnnxModule(model)

    def test_a_plain_pool_is_trained(self):
        model = onnx.load(BASE)
        place, first = next((place, node) for place, node in enumerate(model.graph.node) if node.op_type == "Relu")
        pool = helper.make_node("MaxPool", first.input, first.output, kernel_shape=[3, 3], pads=[1, 1, 1, 1], ceil_mode=0, dilations=[1, 1])
        model.graph.node.remove(first)
        model.graph.node.insert(place, pool)
        images = np.random.default_rng(4).random((1, 3, 256, 320), dtype=np.float32)
        expected = ReferenceEvaluator(model).run(None, {"images": images})[0]
        np.testing.assert_allclose(rows_of(OnnxModule(model), images)[..., 4:], expected[..., 4:], atol=1e-5)


if __name__ == "__main__":
    unittest.main()

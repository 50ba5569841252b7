import unittest

import numpy as np
import onnx
import torch

from tests.samples import BASE, picture

from dataset import Item, letterbox
from onnx_module import OnnxModule
from quick_map import average_precision, map50
from trainer_loop import Recipe, train
from training_plan import TrainingPlan
from yolox_loss import Predictions, assign, cheapest, decode, distillation_loss, generalised_iou, pairwise_iou, yolox_loss


class NoCheckpoint:
    def load(self):
        return None

    def save(self, **state):
        pass


def predictions_of(boxes, objectness, classes, stride=8.0):
    boxes = torch.tensor(boxes)
    return Predictions(boxes[None], torch.tensor(objectness)[None], torch.tensor(classes)[None], boxes[:, :2].clone(), torch.full((len(boxes),), stride))


class Boxes(unittest.TestCase):
    def test_decoding_places_boxes_on_the_grid(self):
        raw = torch.zeros(1, 4, 2, 3)
        found = decode([(raw, torch.zeros(1, 1, 2, 3), torch.zeros(1, 2, 2, 3))], 16)
        self.assertEqual(found.boxes[0, 4].tolist(), [8.0, 8.0, 8.0, 8.0])
        self.assertEqual(found.centres[4].tolist(), [12.0, 12.0])

    def test_overlap_and_its_general_form(self):
        box = torch.tensor([[10.0, 10, 10, 10]])
        half = torch.tensor([[15.0, 10, 10, 10]])
        far = torch.tensor([[110.0, 10, 10, 10]])
        self.assertAlmostEqual(float(pairwise_iou(box, half)), 1 / 3, places=5)
        self.assertAlmostEqual(float(generalised_iou(box, box)), 1.0, places=5)
        self.assertLess(float(generalised_iou(box, far)), -0.8)


class Assigning(unittest.TestCase):
    def test_a_place_serves_one_box_and_far_places_none(self):
        found = predictions_of([[20.0, 20, 10, 10], [60, 20, 10, 10], [200, 200, 10, 10]], [2.0, 2, 2], [[2.0, -2], [-2, 2], [0, 0]])
        truth = torch.tensor([[0, 20.0, 20, 10, 10], [1, 60, 20, 10, 10]])
        assigned = assign(found, 0, truth)
        self.assertEqual((assigned.places.tolist(), assigned.targets.tolist()), ([0, 1], [0, 1]))
        np.testing.assert_allclose(assigned.overlaps.numpy(), [1, 1], atol=1e-5)

    def test_a_contested_place_goes_to_the_cheaper_box(self):
        taken = cheapest(torch.tensor([[1.0, 5.0], [0.5, 9.0]]), torch.tensor([[0.9, 0.1], [0.9, 0.0]]))
        self.assertEqual(taken.tolist(), [[False, False], [True, False]])

    def test_an_empty_picture_teaches_silence(self):
        found = predictions_of([[20.0, 20, 10, 10]], [3.0], [[0.0, 0.0]])
        loss, parts = yolox_loss(found, [torch.zeros(0, 5)])
        self.assertEqual((parts["box"], parts["class"]), (0, 0))
        self.assertAlmostEqual(float(loss), float(np.log1p(np.exp(3.0))), places=4)


class Distilling(unittest.TestCase):
    def test_agreement_costs_nothing_and_disagreement_does(self):
        same = predictions_of([[20.0, 20, 10, 10]], [3.0], [[2.0, -2.0]])
        other = predictions_of([[24.0, 20, 10, 10]], [-3.0], [[-2.0, 2.0]])
        kept = torch.tensor([True])
        self.assertAlmostEqual(float(distillation_loss(same, same, kept)), 0.0, places=5)
        self.assertGreater(float(distillation_loss(other, same, kept)), 1.0)


class Precision(unittest.TestCase):
    def test_all_points_under_the_envelope(self):
        self.assertEqual(average_precision([(0.9, True), (0.8, True)], 2), 1.0)
        self.assertAlmostEqual(average_precision([(0.9, True), (0.8, False), (0.7, True)], 2), 0.5 + 0.5 * 2 / 3)
        self.assertEqual(average_precision([], 3), 0.0)


class Learning(unittest.TestCase):
    def test_four_pictures_are_learned_by_heart(self):
        torch.manual_seed(1)
        torch.set_num_threads(2)
        items = []
        for seed in range(4):
            image, boxes = picture(seed)
            items.append(Item(str(seed), *letterbox(image, boxes, 256, 320)))
        module = OnnxModule(onnx.load(BASE))
        before = map50(module, items, 256, 2)
        plan = TrainingPlan(items, [], 4, 0, 0.0, 0.0, 1)
        history = train(module, plan, Recipe(60, 2e-3, 0.0, 0, 256, 2), {}, NoCheckpoint())
        self.assertLess(history[-1]["loss"], history[0]["loss"] / 3)
        self.assertGreater(map50(module, items, 256, 2), max(0.95, before))


if __name__ == "__main__":
    unittest.main()

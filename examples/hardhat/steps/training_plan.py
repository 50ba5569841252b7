"""Which samples an epoch shows and how each is changed. Everything follows from the seed, epoch and place in the epoch."""

from collections import namedtuple

import numpy as np
import torch

from augment import mild_light, mosaic, to_tensor, wide_light, zoom_shift_flip

# images [batch, 3, h, w]; labels: per picture [n, 5] in px; replayed [batch] bool; plain: the replayed pictures alone, as
# they are before their light is changed (None where there are none).
Batch = namedtuple("Batch", ["images", "labels", "replayed", "plain"])


class TrainingPlan:
    """New frames every epoch, old ("replay") frames in turns, so that the old is not forgotten.

    jitter: share of replayed frames shown in random light; mosaic_share: share of samples made of four pictures.
    """

    def __init__(self, items, replayed, batch, replay_per_epoch, jitter, mosaic_share, seed):
        self.items = items
        self.replayed = replayed
        self.batch = batch
        self.replay_per_epoch = min(replay_per_epoch, len(replayed))
        self.jitter = jitter
        self.mosaic_share = mosaic_share
        self.seed = seed

    @property
    def steps_per_epoch(self):
        return max(1, (len(self.items) + self.replay_per_epoch) // self.batch)

    def batches(self, epoch):
        """Yields Batch by Batch; the last, smaller rest of an epoch is left out."""
        random = np.random.default_rng([self.seed, epoch])
        order = self._order(epoch, random)
        for step in range(self.steps_per_epoch):
            samples = [self._sample(item, old, random) for item, old in order[step * self.batch : (step + 1) * self.batch]]
            kept = [plain for _, _, plain in samples if plain is not None]
            yield Batch(
                torch.stack([image for image, _, _ in samples]),
                [torch.from_numpy(boxes) for _, boxes, _ in samples],
                torch.tensor([plain is not None for _, _, plain in samples]),
                torch.stack(kept) if kept else None,
            )

    def _order(self, epoch, random):
        """This epoch's turn of the old frames: a fixed shuffle is dealt out, so that none comes twice before all came once."""
        dealt = []
        place = epoch * self.replay_per_epoch
        while len(dealt) < self.replay_per_epoch:
            lap, offset = divmod(place + len(dealt), len(self.replayed))
            shuffled = np.random.default_rng([self.seed, 7, lap]).permutation(len(self.replayed))
            dealt += shuffled[offset : offset + self.replay_per_epoch - len(dealt)].tolist()
        samples = [(item, False) for item in self.items] + [(self.replayed[index], True) for index in dealt]
        order = [samples[index] for index in random.permutation(len(samples))]
        return order if len(order) >= self.batch else [order[index % len(order)] for index in range(self.batch)]

    def _sample(self, item, old, random):
        if random.random() < self.mosaic_share:
            pool = self.replayed if old else self.items
            others = [pool[index] for index in random.integers(0, len(pool), 3)]
            image, boxes = mosaic([(to_tensor(part.image), part.boxes) for part in [item, *others]], random)
        else:
            image, boxes = to_tensor(item.image), item.boxes
        plain, boxes = zoom_shift_flip(image, boxes, random)
        light = wide_light if old and random.random() < self.jitter else mild_light
        return light(plain.clone(), random), boxes, plain if old else None

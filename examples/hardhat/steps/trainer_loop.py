"""The training loop: AdamW, warm-up, cosine, averaged weights, time budget, checkpoints, progress lines."""

import copy
import math
import time
from collections import namedtuple

import torch

from prefetch import ahead
from quick_map import map50
from valohai_runtime import log, metadata
from yolox_loss import decode, distillation_loss, yolox_loss

Recipe = namedtuple("Recipe", ["epochs", "learning_rate", "distillation", "time_budget_seconds", "height", "class_count"])

WEIGHT_DECAY = 5e-4
WARM_UP_SHARE = 0.05
FINAL_LEARNING_SHARE = 0.02
GRADIENT_NORM_MAX = 10.0
AVERAGE_DECAY_MAX = 0.99
PROGRESS_SECONDS = 2.0


def train(module, plan, recipe, validation, checkpoint):
    """Trains in place; the module ends with the averaged weights. Returns one record per epoch."""
    loop = Loop(module, plan, recipe)
    history = loop.resume(checkpoint)
    for epoch in range(len(history), recipe.epochs):
        loss, parts = loop.epoch(epoch)
        record = {"epoch": epoch + 1, "epochs": recipe.epochs, "loss": round(loss, 4), "seconds": round(loop.elapsed(), 1), **parts}
        record.update(scores(loop.average, validation, recipe))
        metadata(**record)
        history.append(record)
        checkpoint.save(history=history, **loop.state())
        if loop.progress(epoch + 1, 0) >= 1:
            break
    module.load_state_dict(loop.average.state_dict())
    return history


class Loop:
    def __init__(self, module, plan, recipe):
        self.module, self.plan, self.recipe = module, plan, recipe
        self.average = copy.deepcopy(module)
        self.teacher = copy.deepcopy(module).eval() if recipe.distillation > 0 else None
        decayed = [value for value in module.parameters() if value.dim() > 1]
        plain = [value for value in module.parameters() if value.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate)
        self.steps = 0
        self.before = 0.0
        self.started = time.monotonic()
        self.said = self.started

    def resume(self, checkpoint):
        """History so far; weights, optimiser and clock are set to where the checkpoint left them."""
        state = checkpoint.load()
        if state is None:
            return []
        self.module.load_state_dict(state["module"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps, self.before = state["steps"], state["elapsed"]
        log(f"continuing after epoch {len(state['history'])} of {self.recipe.epochs}")
        return state["history"]

    def state(self):
        parts = {"module": self.module.state_dict(), "average": self.average.state_dict(), "optimiser": self.optimiser.state_dict()}
        return {**parts, "steps": self.steps, "elapsed": self.elapsed()}

    def elapsed(self):
        return self.before + time.monotonic() - self.started

    def progress(self, epoch, step):
        """0..1: how much of the planned steps, or of the time budget where that is scarcer, is used."""
        done = (epoch * self.plan.steps_per_epoch + step) / (self.recipe.epochs * self.plan.steps_per_epoch)
        budget = self.recipe.time_budget_seconds
        return max(done, self.elapsed() / budget) if budget > 0 else done

    def epoch(self, epoch):
        """Mean loss and its parts."""
        self.module.train()
        total, sums, count = 0.0, {}, 0
        for step, batch in enumerate(ahead(self.plan.batches(epoch))):
            self._set_learning_rate(self.progress(epoch, step))
            loss, parts = self._step(batch)
            total, count = total + loss, count + 1
            sums = {name: sums.get(name, 0.0) + value for name, value in parts.items()}
            self._say(epoch, step, loss)
            if self.progress(epoch, step + 1) >= 1:
                break
        return total / count, {f"loss_{name}": round(value / count, 4) for name, value in sums.items()}

    def _step(self, batch):
        predictions = decode(self.module(batch.images), self.recipe.height)
        loss, parts = yolox_loss(predictions, batch.labels)
        if self.teacher is not None and batch.plain is not None:
            # The teacher sees the old picture in its own light: what it knew there, the student should see in any light.
            with torch.no_grad():
                taught = decode(self.teacher(batch.plain), self.recipe.height)
            agreement = self.recipe.distillation * distillation_loss(predictions, taught, batch.replayed)
            loss, parts["distillation"] = loss + agreement, float(agreement.detach())
        self.optimiser.zero_grad(set_to_none=True)
        if not bool(torch.isfinite(loss)):
            log(f"step {self.steps}: the loss is not finite; the step is left out")
            return 0.0, parts
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), GRADIENT_NORM_MAX)
        self.optimiser.step()
        self.steps += 1
        self._average()
        return float(loss.detach()), parts

    @torch.no_grad()
    def _average(self):
        """An average over the last steps: young at first, so that it never holds the base back."""
        keep = min(AVERAGE_DECAY_MAX, (1 + self.steps) / (10 + self.steps))
        for mean, value in zip(self.average.state_dict().values(), self.module.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.mul_(keep).add_(value, alpha=1 - keep)
            else:
                mean.copy_(value)

    def _set_learning_rate(self, progress):
        warm = min(1.0, (self.steps + 1) / max(1.0, WARM_UP_SHARE * self.recipe.epochs * self.plan.steps_per_epoch))
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        share = warm * (FINAL_LEARNING_SHARE + (1 - FINAL_LEARNING_SHARE) * cosine)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * share

    def _say(self, epoch, step, loss):
        now = time.monotonic()
        if now - self.said < PROGRESS_SECONDS:
            return
        self.said = now
        per_epoch = self.plan.steps_per_epoch
        metadata(step=epoch * per_epoch + step + 1, steps=self.recipe.epochs * per_epoch, progress=round(self.progress(epoch, step + 1), 4), loss=round(loss, 4))


def scores(module, validation, recipe):
    """val_map50 over everything, and val_map50_<slice> for each slice."""
    everything = [item for items in validation.values() for item in items]
    named = {"val_map50": everything} if len(validation) <= 1 else {"val_map50": everything, **{f"val_map50_{name}": items for name, items in validation.items()}}
    found = {name: map50(module, items, recipe.height, recipe.class_count) for name, items in named.items() if items}
    return {name: round(value, 4) for name, value in found.items() if value is not None}

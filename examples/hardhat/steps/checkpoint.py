"""What a killed training continues from: weights, optimiser, averages and history, after each epoch."""

import os

import torch

from valohai_runtime import log


class Checkpoint:
    """One file, replaced whole. A checkpoint of another training (other fingerprint) or a damaged one is not used."""

    def __init__(self, path, fingerprint):
        self.path = path
        self.fingerprint = fingerprint

    def load(self):
        if not os.path.isfile(self.path):
            return None
        try:
            state = torch.load(self.path, map_location="cpu")
        except Exception as cause:  # a torn file fails in many ways, all of which mean: start over
            log(f"checkpoint {self.path} cannot be read ({type(cause).__name__}); training starts over")
            return None
        if state.get("fingerprint") != self.fingerprint:
            log(f"checkpoint {self.path} belongs to another training; training starts over")
            return None
        return state

    def save(self, **state):
        torch.save({**state, "fingerprint": self.fingerprint}, self.path + ".partial")
        os.replace(self.path + ".partial", self.path)

    def remove(self):
        for path in (self.path, self.path + ".partial"):
            if os.path.isfile(path):
                os.remove(path)

/** Small programs that ask a Python what it is and what it can do. */

/** Prints `{ executable, version: [major, minor], pip, modules }` as JSON; runs on any Python 3. */
export const PROBE_SCRIPT = `
import importlib.util, json, sys
has = lambda name: importlib.util.find_spec(name) is not None
print(json.dumps({
    "executable": sys.executable,
    "version": list(sys.version_info[:2]),
    "pip": has("pip"),
    "modules": all(has(name) for name in ("torch", "onnx", "PIL", "numpy")),
}))
`;

/** Imports all that the training steps import and trains a small network for two steps; prints `trained with <version of torch>`. */
export const TRAINING_SCRIPT = `
import math, numpy, onnx, onnx.numpy_helper, PIL.Image, torch
from torch import nn
net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Conv2d(8, 4, 1))
optimizer = torch.optim.AdamW(net.parameters(), 1e-3)
for _ in range(2):
    loss = nn.functional.binary_cross_entropy_with_logits(net(torch.rand(2, 3, 32, 32)), torch.rand(2, 4, 32, 32))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
assert math.isfinite(loss.item())
onnx.numpy_helper.from_array(net[0].weight.detach().numpy())
print("trained with", torch.__version__)
`;

/** What is decided about the Python environment, as plain functions of what was found. */

export const PYTHON_OLDEST = [3, 10];
export const PYTHON_NEWEST = [3, 14];

/** Packages that only a GPU needs and that `import torch` and a training step on the CPU do without: 0.5 GB to load, 1.3 GB on disk. */
export const GPU_ONLY_PACKAGES = ['triton', 'nvidia-cusolver', 'cuda-bindings', 'cuda-pathfinder'];
/** What the PyTorch wheel of the CPU index does without, besides. */
export const CPU_WHEEL_DROPS = /^(torch|triton|cuda-|nvidia-)/;

/** Room needed on the disk, in bytes, measured and rounded up. The wheels of Linux bring CUDA and do not import without it. */
const GIB = 2 ** 30;
export function roomNeeded({ platform, gpu, cpuIndex }) {
  if (platform !== 'linux' || cpuIndex) return 2 * GIB;
  return gpu ? 6.5 * GIB : 5 * GIB;
}

/** One line that says that the disk is too full and what to do, or undefined; sizes in bytes. */
export function whyNoRoom({ home, free, needed }) {
  if (free >= needed) return undefined;
  const gib = (bytes) => (bytes / GIB).toFixed(1);
  return `the disk has ${gib(free)} GiB free where ${home} lies, and PyTorch needs ${gib(needed)}: free some space, or set EDGELOOP_HOME to a folder on a larger disk`;
}

/** Pythons to try, in order, each once. */
export function candidates(env) {
  return [...new Set([env.EDGELOOP_PYTHON, 'python3', '/usr/bin/python3'].filter(Boolean))];
}

/** The Python to install for: the first that has pip and a version for which packages exist; `undefined` when there is none. */
export function installable(found) {
  return found.find(({ version, pip }) => pip && supported(version));
}

function supported([major, minor]) {
  const value = major * 100 + minor;
  return value >= PYTHON_OLDEST[0] * 100 + PYTHON_OLDEST[1] && value <= PYTHON_NEWEST[0] * 100 + PYTHON_NEWEST[1];
}

/** One line that says why no Python can be used and what to do. */
export function whyNone(found) {
  const range = `${PYTHON_OLDEST.join('.')} to ${PYTHON_NEWEST.join('.')}`;
  if (found.length === 0)
    return `no Python 3 found: install Python ${range} with pip (Debian, Ubuntu: apt-get install python3 python3-pip), or set EDGELOOP_PYTHON`;
  const seen = found.map(({ command, version, pip }) => `${command} is ${version.join('.')}${pip ? '' : ' without pip'}`).join(', ');
  if (found.some(({ version }) => supported(version)))
    return `${seen}: install pip for it (Debian, Ubuntu: apt-get install python3-pip), or set EDGELOOP_PYTHON to a Python that has it`;
  return `${seen}: training needs Python ${range}; install one and set EDGELOOP_PYTHON to it`;
}

/** The index of CPU wheels is for Linux on x86-64 without an NVIDIA GPU, and only when it answers. */
export function mayUseCpuIndex({ platform, arch, gpu }) {
  return platform === 'linux' && arch === 'x64' && !gpu;
}

/** Requirement blocks of a hash lock: a line with a name, then indented hashes. */
export function lockBlocks(text) {
  return text
    .split(/\n(?=[A-Za-z])/)
    .filter((block) => /^[A-Za-z]/.test(block))
    .map((block) => ({ name: block.split('==')[0].trim().toLowerCase(), text: block.trimEnd() }));
}

/** The lock without the packages for which `dropped(name)` is true. */
export function lockWithout(text, dropped) {
  return `${lockBlocks(text)
    .filter(({ name }) => !dropped(name))
    .map((block) => block.text)
    .join('\n')}\n`;
}

/** Version of a package that the lock gives for a Python version; markers as `uv pip compile --universal` writes them. */
export function lockedVersion(text, name, [major, minor]) {
  const block = lockBlocks(text).find((one) => one.name === name && marked(one.text.split('\n')[0], major * 100 + minor));
  return block?.text.match(/==([^\s;\\]+)/)?.[1];
}

function marked(line, python) {
  const conditions = [...line.matchAll(/python_full_version\s*(<|>=|==)\s*'(\d+)\.(\d+)(\.\*)?'/g)];
  return conditions.every(([, operator, major, minor]) => {
    const value = Number(major) * 100 + Number(minor);
    if (operator === '<') return python < value;
    return operator === '>=' ? python >= value : python === value;
  });
}

/** Step 4: a Python that can train, found or made; written to .edgeloop/python.json as `{ python, env, how, torch }`. */
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DownloadCount } from './download-count.mjs';
import { explain, SetupError } from './errors.mjs';
import { findUv, isExecutable, onPath, uvEnvironment } from './installer.mjs';
import {
  candidates,
  CPU_WHEEL_DROPS,
  GPU_ONLY_PACKAGES,
  installable,
  lockedVersion,
  lockWithout,
  mayUseCpuIndex,
  roomNeeded,
  whyNoRoom,
  whyNone,
} from './python-choice.mjs';
import { PROBE_SCRIPT, TRAINING_SCRIPT } from './python-scripts.mjs';
import { runCommand } from './run-command.mjs';
import { hashOf, readStamp, writeStamp, writeWhole } from './stamps.mjs';

const STEP = 'python';
const CPU_INDEX = 'https://download.pytorch.org/whl/cpu';
const CPU_INDEX_ANSWER_MS = 2_000;
/** On a machine that also runs the services, threads that wait by spinning make training six times slower. */
const STEP_ENVIRONMENT = { OMP_WAIT_POLICY: 'PASSIVE' };

export function pythonFresh(context) {
  const stamp = readStamp(stampPath(context));
  const chosen = readStamp(chosenPath(context));
  return stamp?.hash === inputs(context) && Boolean(chosen) && isExecutable(chosen.python) && (!chosen.site || existsSync(chosen.site));
}

export async function preparePython(context) {
  const pythons = await probe(context);
  const chosen = (await ready(context, pythons)) ?? (await install(context, pythons));
  writeWhole(chosenPath(context), `${JSON.stringify(chosen, null, 2)}\n`);
  writeStamp(stampPath(context), inputs(context));
  return { told: `Python environment for training: ${chosen.how}, torch ${chosen.torch}` };
}

/** Every Python there is: `{ command, executable, version, pip, modules }`. */
async function probe({ env, root, logFor, signal }) {
  const found = await Promise.all(
    candidates(env).map(async (command) => {
      const result = await runCommand(command, ['-c', PROBE_SCRIPT], { env, cwd: root, logPath: logFor(STEP), signal });
      return result.code === 0 ? { command, ...JSON.parse(result.output.trim().split('\n').at(-1)) } : undefined;
    }),
  );
  return found.filter(Boolean);
}

async function ready(context, pythons) {
  for (const python of pythons.filter(({ modules }) => modules)) {
    const stepEnvironment = context.env.PYTHONPATH ? { ...STEP_ENVIRONMENT, PYTHONPATH: context.env.PYTHONPATH } : STEP_ENVIRONMENT;
    const trained = await trainOnce(context, python.executable, stepEnvironment);
    if (trained.torch)
      return { python: python.executable, env: stepEnvironment, how: `${python.command} has all that is needed`, torch: trained.torch };
  }
  return undefined;
}

/** Proves that the environment can train: one real step forward and back. */
async function trainOnce({ env, root, logFor, signal }, python, stepEnvironment) {
  const result = await runCommand(python, ['-c', TRAINING_SCRIPT], {
    env: { ...env, ...stepEnvironment },
    cwd: root,
    logPath: logFor(STEP),
    signal,
  });
  return { torch: result.code === 0 ? /^trained with (\S+)$/m.exec(result.output)?.[1] : undefined, output: result.output };
}

async function install(context, pythons) {
  const python = installable(pythons);
  if (!python) throw new SetupError(STEP, whyNone(pythons), context.logFor(STEP));
  const gpu = hasGpu(context.env);
  const cpuIndex = mayUseCpuIndex({ platform: process.platform, arch: process.arch, gpu }) && (await answers(`${CPU_INDEX}/torch/`));
  checkRoom(context, roomNeeded({ platform: process.platform, gpu, cpuIndex }));
  const uv = await findUv(context, python.executable);
  for (const plan of plans({ gpu, cpuIndex })) {
    if (context.signal.aborted) break;
    const chosen = await tryPlan({ ...context, uv }, python, plan);
    if (chosen.python) return chosen;
    context.failure = chosen.failure;
  }
  throw new SetupError(STEP, context.failure ?? 'interrupted', context.logFor(STEP));
}

/** In the order in which they are tried; each later one is larger and surer. */
function plans({ gpu, cpuIndex }) {
  const isGpuOnly = (name) => GPU_ONLY_PACKAGES.includes(name);
  const all = { name: 'all packages from the lock', dropped: () => false };
  const slim = { name: 'the lock without what only a GPU needs', dropped: isGpuOnly };
  const cpu = { name: "torch from PyTorch's own CPU index", dropped: (name) => CPU_WHEEL_DROPS.test(name), cpuTorch: true };
  return gpu ? [all] : [...(cpuIndex ? [cpu] : []), slim, all];
}

async function tryPlan(context, python, plan) {
  const folder = join(context.home, 'python');
  const [staging, site] = [join(folder, 'site.staging'), join(folder, 'site')];
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const lock = readFileSync(lockPath(context), 'utf8');
  const lockFile = join(folder, 'requirements.lock.txt');
  writeFileSync(lockFile, lockWithout(lock, plan.dropped));
  const locked = await runInstaller(context, python, ['--require-hashes', '--target', staging, '-r', lockFile]);
  if (locked) return { failure: locked };
  if (plan.cpuTorch) {
    const failed = await runInstaller(context, python, [
      '--target',
      staging,
      '--index-url',
      CPU_INDEX,
      `torch==${lockedVersion(lock, 'torch', python.version)}`,
    ]);
    if (failed) return { failure: failed };
  }
  return prove(context, { python, plan, staging, site });
}

async function prove(context, { python, plan, staging, site }) {
  const trained = await trainOnce(context, python.executable, { ...STEP_ENVIRONMENT, PYTHONPATH: staging });
  if (!trained.torch) return { failure: `the installed packages cannot train: ${explain(trained.output)}` };
  rmSync(site, { recursive: true, force: true });
  await rename(staging, site);
  rmSync(uvCache(context), { recursive: true, force: true });
  return {
    python: python.executable,
    env: { ...STEP_ENVIRONMENT, PYTHONPATH: site },
    how: `installed for ${python.command}: ${plan.name}`,
    torch: trained.torch,
    site,
  };
}

/** Installs with uv, else with pip; returns what went wrong, or undefined. Finished downloads are kept for the next try. */
async function runInstaller(context, python, args) {
  const { uv, env, root, logFor, signal, detail } = context;
  const count = new DownloadCount((text) => detail?.(text));
  const options = { cwd: root, logPath: logFor(STEP), signal, onLine: (line) => count.take(line) };
  const shared = ['--no-deps', '--only-binary', ':all:', ...args];
  if (uv) {
    const result = await runCommand(uv, ['pip', 'install', '--python', python.executable, ...shared], {
      ...options,
      env: { ...uvEnvironment(env), UV_CACHE_DIR: uvCache(context) },
    });
    if (result.code === 0 || signal?.aborted) return undefined;
  }
  const result = await runCommand(
    python.executable,
    ['-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', ...shared],
    { ...options, env },
  );
  return result.code === 0 ? undefined : explain(result.output);
}

function checkRoom({ home, logFor }, bytes) {
  mkdirSync(home, { recursive: true });
  const { bavail, bsize } = statfsSync(home);
  const why = whyNoRoom({ home, free: bavail * bsize, needed: bytes });
  if (why) throw new SetupError(STEP, why, logFor(STEP));
}

async function answers(url) {
  try {
    return (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(CPU_INDEX_ANSWER_MS) })).ok;
  } catch {
    return false;
  }
}

function hasGpu(env) {
  return existsSync('/proc/driver/nvidia/version') || Boolean(onPath('nvidia-smi', env));
}

function inputs({ root, env }) {
  return hashOf(readFileSync(lockPath({ root })), env.EDGELOOP_PYTHON ?? '', `${process.platform}-${process.arch}`, String(hasGpu(env)));
}

function lockPath({ root }) {
  return join(root, 'examples', 'hardhat', 'requirements.lock.txt');
}

function uvCache({ home }) {
  return join(home, 'cache', 'uv');
}

function stampPath({ home }) {
  return join(home, 'stamps', 'python.json');
}

function chosenPath({ home }) {
  return join(home, 'python.json');
}

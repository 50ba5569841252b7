/**
 * What every command of this repository does first. Plain JavaScript without packages: it runs before anything is built, on whatever
 * Node calls it, so that npm has something to link and a user is told what is missing.
 */
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const ROOT = new URL('../../../', import.meta.url);
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Exit status of a process that ended by a signal, as shells count it. */
const SIGNALLED = 128;

/**
 * Loads the built module of a command, under this Node or, where this one is too old, under the repository's own; then it does not return.
 * @param {{ command: string, wrapper: string, built: URL }} program `wrapper` is the address of the file in bin/ that calls this
 */
export async function startBuilt({ command, wrapper, built }) {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) return handOver(command, fileURLToPath(wrapper));
  if (!existsSync(built)) notBuilt(command);
  try {
    return await import(built.href);
  } catch (cause) {
    if (cause.code === 'ERR_MODULE_NOT_FOUND') notBuilt(command);
    throw cause;
  }
}

/** The caller's Node may be older than the one this project brings along. Signals and the exit status pass through. */
function handOver(command, script) {
  const node = fileURLToPath(new URL('node_modules/node/bin/node', ROOT));
  // An own Node that is too old as well would hand over to itself, for ever.
  if (!existsSync(node) || realpathSync(node) === realpathSync(process.execPath)) nodeTooOld(command);
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.once('error', ({ message }) => nodeTooOld(command, `; the one in ${node} cannot be run (${message})`));
  child.once('exit', (status, signal) => process.exit(status ?? SIGNALLED + constants.signals[signal]));
  return new Promise(() => undefined);
}

function nodeTooOld(command, more = '') {
  fail(
    command,
    `Node ${NODE_MAJOR_MIN} is needed and this is ${process.versions.node}${more}: run "npm ci" in ${fileURLToPath(ROOT)}, which brings one along, or install Node ${NODE_MAJOR_MIN}`,
  );
}

function notBuilt(command) {
  fail(command, `not built yet: run "npm run setup" in ${fileURLToPath(ROOT)} first`);
}

function fail(command, line) {
  process.stderr.write(`${command}: ${line}\n`);
  process.exit(1);
}

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const OUTPUT_KEPT_CHARACTERS = 200_000;
/** Between asking a command to stop and making it. */
const STOP_GRACE_MS = 3_000;

/**
 * Runs a command; its whole output goes to `logPath`, its end is returned. Never throws for an exit status:
 * `{ code, output }`, with code 127 when the command is not there.
 */
export function runCommand(command, args, { env, cwd, logPath, signal, onLine } = {}) {
  mkdirSync(dirname(logPath), { recursive: true });
  const log = createWriteStream(logPath, { flags: 'a' });
  log.write(`$ ${command} ${args.join(' ')}\n`);
  return new Promise((resolve) => {
    let output = '';
    // A group of its own: installers start others, and none of them may go on writing after a stop.
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const stop = () => stopChild(child);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    const take = (chunk) => {
      log.write(chunk);
      output = (output + chunk).slice(-OUTPUT_KEPT_CHARACTERS);
      for (const line of String(chunk).split('\n')) if (line.trim()) onLine?.(line.trim());
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const end = (code, text = '') => {
      signal?.removeEventListener('abort', stop);
      log.end(text, () => resolve({ code, output: output + text }));
    };
    child.once('error', (cause) => end(127, `${command}: ${cause.code ?? cause.message}\n`));
    child.once('close', (code) => end(code ?? 128));
  });
}

function stopChild(child) {
  signalGroup(child, 'SIGTERM');
  setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_GRACE_MS).unref();
}

function signalGroup({ pid }, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // gone already
  }
}

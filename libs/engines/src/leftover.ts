import { readFile, writeFile } from 'node:fs/promises';
import { processBirth } from './process-lock.ts';

const GONE_BUDGET_MS = 5_000;
const GONE_POLL_MS = 20;

interface PidFile {
  readonly pid: number;
  readonly birth: string;
}

/** Remembers the engine that works on a folder, for whoever comes after a crash. */
export async function rememberEngine(path: string, pid: number): Promise<void> {
  const entry: PidFile = { pid, birth: processBirth(pid) ?? '' };
  await writeFile(path, JSON.stringify(entry));
}

/**
 * Ends an engine that a killed predecessor left behind: two servers on one data folder would damage it.
 * The guard ends it too, but maybe not yet.
 */
export async function endLeftover(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const entry = text === undefined ? undefined : parse(text);
  if (!entry || !isSame(entry)) return;
  process.kill(entry.pid, 'SIGKILL');
  for (const deadline = Date.now() + GONE_BUDGET_MS; isSame(entry) && Date.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS));
  }
}

function parse(text: string): PidFile | undefined {
  try {
    return JSON.parse(text) as PidFile;
  } catch {
    return undefined;
  }
}

function isSame({ pid, birth }: PidFile): boolean {
  return birth !== '' && processBirth(pid) === birth;
}

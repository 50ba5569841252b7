/** Somebody to kill. `pid` is asked at the moment of the kill: the victim may have been restarted meanwhile. */
export interface Victim {
  readonly name: string;
  pid(): number | undefined;
}

export interface Kill {
  readonly name: string;
  readonly pid: number;
  readonly atMs: number;
}

export interface PlannedKill {
  readonly name: string;
  /** After the start of the schedule. */
  readonly atMs: number;
}

export interface KillSchedule {
  readonly names: readonly string[];
  readonly seed: number;
  readonly fromMs: number;
  readonly toMs: number;
}

const GONE_BUDGET_MS = 10_000;
const VICTIM_BUDGET_MS = 30_000;
const POLL_MS = 20;

/** Kills with SIGKILL, waits until the victim is gone, and remembers whom it got. */
export class ProcessKiller {
  readonly #victims: ReadonlyMap<string, Victim>;
  readonly #kills: Kill[] = [];
  readonly #startedAt = Date.now();

  constructor(victims: readonly Victim[]) {
    this.#victims = new Map(victims.map((victim) => [victim.name, victim]));
  }

  get kills(): readonly Kill[] {
    return [...this.#kills];
  }

  /** Resolves when the process is gone. Waits for a victim that is just being restarted. */
  async kill(name: string): Promise<Kill> {
    const victim = this.#victims.get(name);
    if (!victim) throw new Error(`no victim is called "${name}": there are ${[...this.#victims.keys()].join(', ')}`);
    const pid = await until(() => victim.pid(), VICTIM_BUDGET_MS, `${name} does not run, so it cannot be killed`);
    process.kill(pid, 'SIGKILL');
    await until(() => (victim.pid() === pid && isAlive(pid) ? undefined : true), GONE_BUDGET_MS, `${name} (${pid}) outlived SIGKILL`);
    const kill = { name, pid, atMs: Date.now() - this.#startedAt };
    this.#kills.push(kill);
    return kill;
  }

  /** Carries out a schedule; `signal` ends it early. Each kill is told to `onKill`. */
  async carryOut(schedule: readonly PlannedKill[], options: { signal?: AbortSignal; onKill?: (kill: Kill) => void } = {}): Promise<void> {
    const startedAt = Date.now();
    for (const { name, atMs } of schedule) {
      await sleep(startedAt + atMs - Date.now(), options.signal);
      if (options.signal?.aborted) return;
      options.onKill?.(await this.kill(name));
    }
  }
}

/** Every name once, at moments that the seed alone decides, in the order of time. */
export function planKills({ names, seed, fromMs, toMs }: KillSchedule): PlannedKill[] {
  const random = mulberry32(seed);
  return names.map((name) => ({ name, atMs: Math.round(fromMs + random() * (toMs - fromMs)) })).sort((a, b) => a.atMs - b.atMs);
}

/** Small seeded generator (public domain, T. Ettinger): numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function until<T>(ask: () => T | undefined, budgetMs: number, otherwise: string): Promise<T> {
  for (const deadline = Date.now() + budgetMs; Date.now() < deadline; await sleep(POLL_MS)) {
    const answer = ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`${otherwise} (waited ${budgetMs} ms)`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted || ms <= 0) return resolve();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeHome, removeHome, UserProcess } from '../bad-input/demo-process.ts';

export interface Release {
  readonly version: string;
  readonly digest: string;
  readonly day: number;
  readonly night: number;
}

export interface Report {
  readonly rounds: readonly {
    readonly trigger: string;
    readonly labels: number;
    readonly trainSeconds: number;
    readonly incumbent: Release;
    /** Null: refused by the gate. */
    readonly candidate: Release | null;
    readonly gate: { readonly verdict: string };
    readonly rollout: { readonly waves: readonly { readonly nodes: readonly string[] }[]; readonly halted: boolean };
  }[];
  readonly samples: {
    readonly accepted: number;
    readonly lost: number;
    readonly doubled: number;
    readonly redelivered: number;
    readonly quarantined: number;
  };
  readonly releases: { readonly published: number; readonly lost: number; readonly doubled: number };
  readonly nodes: readonly { readonly id: string; readonly running: string | null; readonly frames: number }[];
  readonly seconds: { readonly total: number; readonly perArrow: Readonly<Record<string, number>> };
  readonly better: { readonly verdict: boolean };
  readonly chaos: { readonly killed: readonly { readonly name: string }[] } | null;
}

/** A turn as a user plays it, and what it left behind. */
export interface PlayedTurn {
  readonly status: number | null;
  /** Standard output and error. */
  readonly printed: string;
  readonly report: Report;
  /** Folder of `--keep`. */
  readonly kept: string;
  clear(): Promise<void>;
}

/** Plays one demo to its end, in a home of its own that shares engines and Python with the repository's. */
export async function playTurn(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<PlayedTurn> {
  const kept = await mkdtemp(join(tmpdir(), 'edgeloop-turn-'));
  const home = await makeHome();
  const demo = new UserProcess('demo', ['--once', '--keep', kept, ...args], { ...environment, EDGELOOP_HOME: home });
  const { status, stdout, said } = await demo.ended;
  const report = JSON.parse(await readFile(join(kept, 'report.json'), 'utf8').catch(() => '{}')) as Report;
  const clear = async (): Promise<void> => {
    await removeHome(home);
    await rm(kept, { recursive: true, force: true });
  };
  return { status, printed: [stdout, ...said].join('\n'), report, kept, clear };
}

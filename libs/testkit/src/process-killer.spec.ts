import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { planKills, ProcessKiller } from './process-killer.ts';

describe('plan of kills', () => {
  const schedule = { names: ['bus', 'store', 'node', 'fleet'], fromMs: 1_000, toMs: 9_000 };

  it('kills everybody once, in the order of time, within the window', () => {
    const plan = planKills({ ...schedule, seed: 7 });
    expect(plan.map(({ name }) => name).sort()).toEqual([...schedule.names].sort());
    expect(plan.map(({ atMs }) => atMs)).toEqual(plan.map(({ atMs }) => atMs).sort((a, b) => a - b));
    for (const { atMs } of plan) expect(atMs >= 1_000 && atMs <= 9_000).toBe(true);
  });

  it('is the same for the same seed and another for another', () => {
    expect(planKills({ ...schedule, seed: 7 })).toEqual(planKills({ ...schedule, seed: 7 }));
    expect(planKills({ ...schedule, seed: 7 })).not.toEqual(planKills({ ...schedule, seed: 8 }));
  });
});

describe('process killer', () => {
  it('kills the process that runs at that moment and remembers it', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
    const killer = new ProcessKiller([{ name: 'sleeper', pid: () => (isRunning() ? child.pid : undefined) }]);
    const kills: string[] = [];
    await killer.carryOut([{ name: 'sleeper', atMs: 0 }], { onKill: ({ name }) => kills.push(name) });
    expect(child.signalCode).toBe('SIGKILL');
    expect(killer.kills).toMatchObject([{ name: 'sleeper', pid: child.pid }]);
    expect(kills).toEqual(['sleeper']);
  });

  it('refuses a name that it does not know', async () => {
    await expect(new ProcessKiller([]).kill('nobody')).rejects.toThrow('no victim is called "nobody"');
  });

  it('ends a schedule early when told', async () => {
    const abort = new AbortController();
    abort.abort();
    const killer = new ProcessKiller([]);
    await killer.carryOut([{ name: 'nobody', atMs: 60_000 }], { signal: abort.signal });
    expect(killer.kills).toEqual([]);
  });
});

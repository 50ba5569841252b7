import { describe, expect, it } from '@jest/globals';
import { NodeDrifted, RunEnded, RunStarted } from '@edgeloop/contracts';
import { TurnLog, TurnTimeoutError } from './turn-log.ts';

const run = (runId: string, atMs: number) => ({ type: RunStarted.type, payload: { runId }, atMs, id: `${runId}-started` });
const drift = (nodeId: string, atMs: number) => ({ type: NodeDrifted.type, payload: { nodeId }, atMs, id: `${nodeId}-${atMs}` });
const waiting = (limitMs: number, signal: AbortSignal = new AbortController().signal) => ({ what: 'a run to start', limitMs, signal });

describe('the log of a turn', () => {
  it('takes each event once, and tells its listeners once', () => {
    const log = new TurnLog();
    const told: string[] = [];
    log.onEvent(({ id }) => told.push(id));
    for (const event of [run('r1', 1), run('r1', 1), run('r2', 2)]) log.add(event);
    expect(log.all(RunStarted).map(({ runId }) => runId)).toEqual(['r1', 'r2']);
    expect(told).toEqual(['r1-started', 'r2-started']);
  });

  it('gives the newest time of a kind, and the first from a moment on', () => {
    const log = new TurnLog();
    for (const event of [drift('n1', 10), run('r1', 15), drift('n1', 20), drift('n2', 30)]) log.add(event);
    expect(log.lastTimeOf(NodeDrifted)).toBe(30);
    expect([log.firstTimeOf(NodeDrifted, 0), log.firstTimeOf(NodeDrifted, 11), log.firstTimeOf(NodeDrifted, 31)]).toEqual([
      10,
      20,
      undefined,
    ]);
    expect(log.lastTimeOf(RunEnded)).toBeUndefined();
  });

  it('waits for what is still to come, and does not for what has been', async () => {
    const log = new TurnLog();
    const coming = log.waitFor(RunStarted, { ...waiting(60_000), matches: ({ runId }) => runId === 'r2' });
    for (const event of [run('r1', 1), run('r2', 2)]) log.add(event);
    await expect(coming).resolves.toEqual({ runId: 'r2' });
    await expect(log.waitFor(RunStarted, waiting(1))).resolves.toEqual({ runId: 'r1' });
  });

  it('says what it waited for in vain', async () => {
    await expect(new TurnLog().waitFor(RunStarted, waiting(1))).rejects.toThrow(new TurnTimeoutError('a run to start', 1));
  });

  it('ends a wait with the reason of the abort', async () => {
    const stop = new AbortController();
    const coming = new TurnLog().waitFor(RunStarted, waiting(60_000, stop.signal));
    stop.abort(new Error('Ctrl-C'));
    await expect(coming).rejects.toThrow('Ctrl-C');
  });
});

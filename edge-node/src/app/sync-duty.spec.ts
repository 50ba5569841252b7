import { afterEach, describe, expect, it } from '@jest/globals';
import type { Desired } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { newSigner, signDesired } from '@edgeloop/trust';
import { pino } from 'pino';
import { emptyNodeState, FRESH_LIVE } from '../domain/node-state.ts';
import type { Updater } from '../domain/node-state.ts';
import { desired, release } from '../domain/updater.spec-kit.ts';
import { evolve } from '../domain/updater.ts';
import { ToldBus } from './bus.spec-kit.ts';
import { SyncDuty } from './sync-duty.ts';

const signer = newSigner();
const trust = { tufRoot: '{}', assignmentKeys: [{ keyId: signer.keyId, publicKey: signer.publicKey }] };
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function syncing(offer: () => unknown) {
  const bus = new ToldBus({
    'node.sync': () => ({ desired: offer(), links: { 'metadata/timestamp.json': 'http://s/t' }, linksExpireAt: '' }),
  });
  const accepted: Desired[] = [];
  const runner = {
    state: { node: emptyNodeState('epoch-12345'), live: FRESH_LIVE } as Updater,
    accept: async (newer: Desired) => {
      accepted.push(newer);
      runner.state = evolve(runner.state, { type: 'desired-accepted', atMs: 0, desired: newer });
    },
  };
  const rhythm = { intervalMs: 600_000, jitter: 0.2, chance: () => 0.5 };
  const duty = new SyncDuty({ bus, nodeId: 'node-1', trust, runner, rhythm, log: pino({ level: 'silent' }) });
  const stopping = new AbortController();
  const done = duty.run(stopping.signal);
  stops.push(async () => {
    stopping.abort();
    await done;
  });
  return { bus, accepted, duty };
}

const signed = (of: Desired, by = signer) => signDesired(JSON.stringify(of), by);

describe('asking for the desired state', () => {
  it('accepts what is signed, for this node, and newer; each once', async () => {
    const { bus, accepted } = syncing(() => signed(desired(3, release('a'))));
    await eventually(() => expect(accepted.map(({ generation }) => generation)).toEqual([3]));
    bus.ring();
    await eventually(() => expect(bus.asked).toHaveLength(2));
    expect(accepted).toHaveLength(1);
    expect(bus.asked[1]).toMatchObject({ payload: { haveGeneration: 3 } });
  });

  it.each<[string, () => unknown]>([
    ['is signed by a key that this node was not told of', () => signed(desired(9, release('a')), newSigner())],
    ['was changed after it was signed', () => ({ ...signed(desired(9, null)), signed: JSON.stringify(desired(9, release('a'))) })],
    ['is meant for another node', () => signed({ ...desired(9, release('a')), nodeId: 'node-2' })],
    ['is signed, and no desired state', () => signDesired('{"generation":9}', signer)],
  ])('does not believe what %s, and goes on asking', async (_why, offer) => {
    const { bus, accepted } = syncing(offer);
    await eventually(() => expect(bus.asked).toHaveLength(1));
    bus.ring();
    await eventually(() => expect(bus.asked).toHaveLength(2));
    expect(accepted).toEqual([]);
  });

  it('asks again when the bus comes back, and by itself gives links that are good now', async () => {
    const { bus, accepted, duty } = syncing(() => signed(desired(1, null)));
    await eventually(() => expect(accepted).toHaveLength(1));
    bus.away = true;
    await expect(duty.links()).rejects.toMatchObject({ reason: 'unreachable', severity: 'wait' });
    const before = bus.asked.length;
    bus.comeBack();
    await eventually(() => expect(bus.asked.length).toBeGreaterThan(before));
    expect(await duty.links()).toEqual({ 'metadata/timestamp.json': 'http://s/t' });
  });

  it('shares one question among those who ask at once', async () => {
    const { bus, duty } = syncing(() => null);
    await eventually(() => expect(bus.asked).toHaveLength(1));
    const before = bus.asked.length;
    await Promise.all([duty.links(), duty.links(), duty.links()]);
    expect(bus.asked.length - before).toBeLessThanOrEqual(1);
  });
});

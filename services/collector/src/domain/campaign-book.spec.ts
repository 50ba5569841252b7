import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { turnPage, type BookEvent, type BookInput, type DriftPlan, type PolicyDraft } from './campaign-book.ts';
import { CLOSED_KEPT_MAX, DRIFTING_NODES_MAX, EMPTY_BOOK, TRIES_PER_DRIFT_MAX, type CampaignBook } from './campaign.ts';

const policy: PolicyDraft = { policyId: 'p', rules: [], nearDuplicateBits: 4, samplesMax: null };
const plan: DriftPlan = { policy: { ...policy, policyId: 'drift' }, samplesTotal: 10, lastsMs: 1_000, cooldownMs: 500 };

/** Plays inputs from the empty book; each entry may move the clock. */
function play(...inputs: readonly (BookInput & { at?: number })[]): { book: CampaignBook; events: BookEvent[] } {
  let book = EMPTY_BOOK;
  let nowMs = 0;
  const events: BookEvent[] = [];
  for (const { at, ...input } of inputs) {
    nowMs = at ?? nowMs;
    const step = turnPage(book, input as BookInput, { nowMs, plan });
    book = step.book;
    events.push(...step.events);
  }
  return { book, events };
}

const serviceStarted = { type: 'service-started', base: policy, baseId: 'base' } as const;
const drifted = (nodeId: string, atMs: number, perNode: Record<string, number> = {}) =>
  ({
    type: 'node-drifted',
    nodeId,
    atMs,
    measures: 'brightness 0.5 -> 0.1',
    accepted: { perCampaign: {}, perNode: new Map(Object.entries(perNode)) },
  }) as const;
const settled = (nodeId: string, atMs: number) => ({ type: 'node-settled', nodeId, atMs }) as const;
const ticked = (perCampaign: Record<string, number> = {}, perNode: Record<string, number> = {}) =>
  ({ type: 'clock-ticked', accepted: { perCampaign, perNode: new Map(Object.entries(perNode)) } }) as const;
const byHand = (campaignId: string) =>
  ({ type: 'asked-to-start', campaignId, reason: 'r', policy, nodes: { all: true }, samplesTotal: null, lastsMs: null }) as const;

function kinds(events: readonly BookEvent[]): string[] {
  return events.map((event) =>
    event.type === 'campaign-started'
      ? `started ${event.campaign.campaignId} v${event.campaign.policy.version}`
      : `closed ${event.campaignId} ${event.outcome} ${event.accepted}`,
  );
}

/** Nodes that drift, settle and give samples while campaigns come and go; counts for each lasting drift what answered it. */
class World {
  readonly drifting = new Map<string, { samples: number; campaigns: number }>();
  #book = EMPTY_BOOK;
  #nowMs = 0;
  readonly #perCampaign: Record<string, number> = {};
  readonly #perNode: Record<string, number> = {};

  take({ type, nodeId }: { type: 'drift' | 'settle' | 'sample'; nodeId: string }, laterMs: number): void {
    this.#nowMs += 1 + laterMs;
    if (type === 'drift') this.#drift(nodeId);
    else if (type === 'settle') this.#settle(nodeId);
    else this.#sample(nodeId);
    this.pass(0);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    this.#turn(ticked({ ...this.#perCampaign }, { ...this.#perNode }));
  }

  #drift(nodeId: string): void {
    const input = drifted(nodeId, this.#nowMs, { ...this.#perNode });
    this.drifting.set(nodeId, { samples: 0, campaigns: 0 });
    const running = this.#book.open.some(({ nodes }) => !('all' in nodes) && nodes.nodeIds.includes(nodeId));
    if (running) this.#count(nodeId, 'campaigns');
    this.#turn(input);
  }

  #settle(nodeId: string): void {
    this.drifting.delete(nodeId);
    this.#turn(settled(nodeId, this.#nowMs));
  }

  #sample(nodeId: string): void {
    for (const { campaignId, nodes } of this.#book.open) {
      if ('all' in nodes || !nodes.nodeIds.includes(nodeId)) continue;
      this.#perCampaign[campaignId] = (this.#perCampaign[campaignId] ?? 0) + 1;
      this.#perNode[`${campaignId}/${nodeId}`] = (this.#perNode[`${campaignId}/${nodeId}`] ?? 0) + 1;
      this.#count(nodeId, 'samples');
    }
  }

  #count(nodeId: string, what: 'samples' | 'campaigns'): void {
    const counted = this.drifting.get(nodeId);
    if (counted !== undefined) counted[what] += 1;
  }

  #turn(input: BookInput): void {
    const before = this.#book;
    this.#book = turnPage(before, input, { nowMs: this.#nowMs, plan }).book;
    for (const { campaignId, nodes } of this.#book.open) {
      const known = before.open.find((open) => open.campaignId === campaignId);
      const had = known === undefined || 'all' in known.nodes ? [] : known.nodes.nodeIds;
      for (const nodeId of 'all' in nodes ? [] : nodes.nodeIds.filter((each) => !had.includes(each))) this.#count(nodeId, 'campaigns');
    }
  }
}

describe('the book of campaigns', () => {
  it('starts the base campaign once, and again under a new version when its policy changed', () => {
    expect(kinds(play(serviceStarted, serviceStarted).events)).toEqual(['started base v1']);
    const changed = { ...serviceStarted, base: { ...policy, nearDuplicateBits: 9 } };
    const { book, events } = play(serviceStarted, changed);
    expect(kinds(events)).toEqual(['started base v1', 'started base v2']);
    expect(book.open).toHaveLength(1);
  });

  it('collects from the node that drifted', () => {
    const { events } = play(serviceStarted, drifted('n1', 5));
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'campaign-started', campaign: { nodes: { nodeIds: ['n1'] }, samplesTotal: 10, deadlineMs: 1_000 } });
    expect(last?.type === 'campaign-started' && last.campaign.reason).toBe('1 node left the baseline (n1: brightness 0.5 -> 0.1)');
  });

  it('joins the next node to the campaign that runs, under a higher policy version', () => {
    const { book, events } = play(drifted('n2', 1), drifted('n1', 2));
    expect(kinds(events)).toEqual(['started drift-1 v1', 'started drift-1 v2']);
    expect(book.open).toHaveLength(1);
    expect(book.open[0]?.nodes).toEqual({ nodeIds: ['n1', 'n2'] });
  });

  it('is not moved by what it has heard before, or by older news', () => {
    const { book } = play(drifted('n1', 5), settled('n1', 8));
    for (const stale of [drifted('n1', 5), drifted('n1', 8), drifted('n1', 3), settled('n1', 8), settled('n1', 2)]) {
      expect(turnPage(book, stale, { nowMs: 9, plan }).book).toBe(book);
    }
  });

  it('closes when full, exactly at the total and not before', () => {
    expect(play(drifted('n1', 1), ticked({ 'drift-1': 9 })).book.open).toHaveLength(1);
    const { book, events } = play(drifted('n1', 1), ticked({ 'drift-1': 10 }));
    expect(kinds(events).at(-1)).toBe('closed drift-1 full 10');
    expect(book.open).toHaveLength(0);
  });

  it('closes at its deadline, exactly then and not before', () => {
    expect(play(drifted('n1', 1), { ...ticked(), at: 999 }).book.open).toHaveLength(1);
    expect(kinds(play(drifted('n1', 1), { ...ticked({ 'drift-1': 3 }), at: 1_000 }).events).at(-1)).toBe('closed drift-1 deadline 3');
  });

  it('closes when every node has given all that it may', () => {
    const capped = { ...plan, policy: { ...plan.policy, samplesMax: 2 } };
    const { book } = play(drifted('n1', 1), drifted('n2', 2));
    const open = book.open.map((campaign) => ({ ...campaign, policy: { ...campaign.policy, samplesMax: 2 } }));
    const outcome = (perNode: Record<string, number>) =>
      turnPage({ ...book, open }, ticked({ 'drift-1': 4 }, perNode), { nowMs: 3, plan: capped }).events.map(({ type }) => type);
    expect(outcome({ 'drift-1/n1': 3, 'drift-1/n2': 1 })).toEqual([]);
    expect(outcome({ 'drift-1/n1': 2, 'drift-1/n2': 2 })).toEqual(['campaign-closed']);
  });

  it('never closes the base campaign', () => {
    expect(play(serviceStarted, { ...ticked({ base: 1e9 }), at: 1e12 }).book.open).toHaveLength(1);
  });

  it('waits after a drift campaign, then answers the node that drifted meanwhile', () => {
    const { events } = play(
      drifted('n1', 1),
      { ...ticked({ 'drift-1': 10 }, { 'drift-1/n1': 10 }), at: 100 },
      { ...drifted('n2', 150), at: 150 },
      { ...ticked(), at: 599 },
      { ...ticked(), at: 600 },
    );
    expect(kinds(events)).toEqual(['started drift-1 v1', 'closed drift-1 full 10', 'started drift-2 v2']);
  });

  it('forgets a node that settled while it waited', () => {
    const full = ticked({ 'drift-1': 10 }, { 'drift-1/n1': 10 });
    const { events } = play(drifted('n1', 1), { ...full, at: 100 }, drifted('n2', 150), settled('n2', 160), { ...ticked(), at: 9_000 });
    expect(kinds(events)).toEqual(['started drift-1 v1', 'closed drift-1 full 10']);
  });

  it('does not collect twice for one drift', () => {
    const full = ticked({ 'drift-1': 10 }, { 'drift-1/n1': 10 });
    const { events } = play(drifted('n1', 1), { ...full, at: 100 }, { ...full, at: 1e6 });
    expect(events).toHaveLength(2);
  });

  it.each([
    ['was all but full', { ...ticked({ 'drift-1': 10 }, { 'drift-1/n1': 10 }), at: 100 }, 'full', 600],
    ['was at its deadline', { ...ticked({ 'drift-1': 9 }, { 'drift-1/n1': 9 }), at: 1_000 }, 'deadline', 1_500],
  ])('answers a node that joined when the campaign %s with the next one, after the pause', (_when, closing, outcome, again) => {
    const story = [drifted('n1', 1), drifted('n2', 2), closing] as const;
    const known = { 'drift-1/n1': 10 };
    expect(kinds(play(...story, { ...ticked({}, known), at: again - 1 }).events).at(-1)).toContain(`closed drift-1 ${outcome}`);
    const { book, events } = play(...story, { ...ticked({}, known), at: again });
    expect(kinds(events).at(-1)).toBe('started drift-3 v3');
    expect(book.open[0]?.nodes).toEqual({ nodeIds: ['n2'] });
  });

  it('takes samples that come in after the close for an answer', () => {
    const late = { 'drift-1/n1': 10, 'drift-1/n2': 1 };
    const closing = { ...ticked({ 'drift-1': 10 }, { 'drift-1/n1': 10 }), at: 100 };
    const { events } = play(
      drifted('n1', 1),
      drifted('n2', 2),
      closing,
      { ...ticked({}, late), at: 200 },
      { ...ticked({}, late), at: 1e6 },
    );
    expect(kinds(events).at(-1)).toBe('closed drift-1 full 10');
  });

  it('counts only what a node gave since it drifted again', () => {
    const before = { 'drift-1/n1': 4 };
    const story = [drifted('n1', 1), settled('n1', 5), drifted('n1', 7, before)] as const;
    const ends = (count: number) => [
      { ...ticked({ 'drift-1': 10 }, { 'drift-1/n1': count }), at: 100 },
      { ...ticked({}, { 'drift-1/n1': count }), at: 600 },
    ];
    expect(kinds(play(...story, ...ends(4)).events).at(-1)).toBe('started drift-2 v2');
    expect(kinds(play(...story, ...ends(5)).events).at(-1)).toBe('closed drift-1 full 10');
  });

  it('does not collect for ever for a node that never gives a sample', () => {
    const years = Array.from({ length: 50 }, (_, index) => ({ ...ticked(), at: index * 2_000 }));
    const { events } = play(drifted('n1', 1), ...years);
    expect(events.filter(({ type }) => type === 'campaign-started')).toHaveLength(TRIES_PER_DRIFT_MAX);
    const again = play(drifted('n1', 1), ...years, { ...drifted('n1', 200_000), at: 200_000 });
    expect(again.events).toHaveLength(events.length + 1);
  });

  it('takes very many drifting nodes for the whole fleet', () => {
    const nodes = Array.from({ length: DRIFTING_NODES_MAX }, (_, index) => drifted(`n${index}`, index + 1));
    expect(play(...nodes).book.open[0]?.nodes).toEqual({ all: true });
  });

  it('starts by hand once for one question, beside others', () => {
    const { events, book } = play(byHand('hand-1'), byHand('hand-1'), byHand('hand-2'));
    expect(kinds(events)).toEqual(['started hand-1 v1', 'started hand-2 v2']);
    expect(book.open).toHaveLength(2);
  });

  it('keeps a bounded past', () => {
    const rounds = Array.from({ length: CLOSED_KEPT_MAX + 5 }, (_, index) => [
      { ...byHand(`h${index}`), samplesTotal: 1, at: index },
      { ...ticked({ [`h${index}`]: 1 }), at: index },
    ]).flat();
    const { book } = play(...rounds);
    expect(book.closed).toHaveLength(CLOSED_KEPT_MAX);
    expect(book.closed[0]?.campaignId).toBe(`h${CLOSED_KEPT_MAX + 4}`);
  });

  it('answers every drift that lasts with a sample or with all the campaigns that it may have', () => {
    const node = fc.constantFrom('n1', 'n2', 'n3');
    const step = fc.oneof(
      node.map((nodeId) => ({ type: 'drift', nodeId }) as const),
      node.map((nodeId) => ({ type: 'settle', nodeId }) as const),
      node.map((nodeId) => ({ type: 'sample', nodeId }) as const),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(400)), { maxLength: 50 }), (steps) => {
        const world = new World();
        for (const [each, later] of steps) world.take(each, later);
        for (let round = 0; round < 10; round += 1) world.pass(plan.lastsMs + plan.cooldownMs);
        for (const [nodeId, { samples, campaigns }] of world.drifting) {
          expect({ nodeId, answered: samples > 0 || campaigns >= TRIES_PER_DRIFT_MAX }).toEqual({ nodeId, answered: true });
          expect(campaigns).toBeLessThanOrEqual(TRIES_PER_DRIFT_MAX);
        }
      }),
    );
  });

  it('holds its promises under any order and repetition of inputs', () => {
    const input = fc.oneof(
      fc.constant(serviceStarted),
      fc.record({ node: fc.constantFrom('n1', 'n2', 'n3'), at: fc.nat(3_000) }).map(({ node, at }) => drifted(node, at)),
      fc.record({ node: fc.constantFrom('n1', 'n2', 'n3'), at: fc.nat(3_000) }).map(({ node, at }) => settled(node, at)),
      fc.nat(12).map((count) => ticked({ 'drift-1': count, 'drift-2': count, 'drift-3': count })),
      fc.constantFrom(byHand('h1'), byHand('h2')),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(input, fc.nat(400)), { maxLength: 60 }), (inputs) => {
        let nowMs = 0;
        const timed = inputs.map(([each, later]) => ({ ...each, at: (nowMs += later) }));
        const { book, events } = play(...timed);
        const versions = events.flatMap((event) => (event.type === 'campaign-started' ? [event.campaign.policy.version] : []));
        expect(versions).toEqual(versions.map((_, index) => index + 1));
        const causes = book.open.map(({ cause }) => cause);
        expect(new Set(causes).size).toBe(causes.length);
        const closings = events.flatMap((event) => (event.type === 'campaign-closed' ? [event.campaignId] : []));
        expect(new Set(closings).size).toBe(closings.length);
        expect(closings).not.toContain('base');
      }),
    );
  });
});

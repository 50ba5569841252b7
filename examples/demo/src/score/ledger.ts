import type { Bus } from '@edgeloop/bus';
import { DatasetSnapshot, NodeManifest, SampleQuarantined, TaskCreated } from '@edgeloop/contracts';
import type { DatasetSnapshotted, PayloadOf, SampleAccepted, TaskAnswered } from '@edgeloop/contracts';
import { readVerified } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';

/** What the streams say about each sample, by id; the streams are read whole, so nothing is taken on trust. */
export interface Ledger {
  /** Samples that a node said it uploaded. */
  readonly announced: ReadonlySet<string>;
  /** How often each is in the ledger, was made a task, was answered, stands in the newest dataset. */
  readonly accepted: ReadonlyMap<string, number>;
  readonly tasks: ReadonlyMap<string, number>;
  readonly answers: ReadonlyMap<string, number>;
  readonly inDataset: ReadonlyMap<string, number>;
  /** Kept out of the newest dataset on purpose. */
  readonly withheld: ReadonlySet<string>;
  /** Refused for good. */
  readonly quarantined: ReadonlySet<string>;
}

/** Answers that came after the newest snapshot wait for the next one. */
export interface LedgerVerdict {
  readonly lost: number;
  readonly doubled: number;
}

function count(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}

/** Announced and never stored, accepted and never a task, or answered before the snapshot and missing from it: lost. Twice anywhere: doubled. */
export function judgeLedger(ledger: Ledger, answeredBeforeSnapshot: ReadonlySet<string>): LedgerVerdict {
  const stored = (id: string): boolean => ledger.accepted.has(id) || ledger.quarantined.has(id);
  const lost = new Set<string>();
  for (const id of ledger.announced) if (!stored(id)) lost.add(id);
  for (const id of ledger.accepted.keys()) if (!ledger.tasks.has(id)) lost.add(id);
  for (const id of answeredBeforeSnapshot) if (!ledger.inDataset.has(id) && !ledger.withheld.has(id)) lost.add(id);
  const doubled = [ledger.accepted, ledger.tasks, ledger.answers, ledger.inDataset]
    .flatMap((counts) => [...counts.values()])
    .filter((times) => times > 1).length;
  return { lost: lost.size, doubled };
}

const sampleOf = (payload: { nodeId: string; sampleId: string }): string => `${payload.nodeId}/${payload.sampleId}`;

export interface LedgerSources {
  readonly bus: Bus;
  readonly store: ObjectStore;
  readonly newest: PayloadOf<typeof DatasetSnapshotted> | undefined;
  /** When the newest dataset was frozen: answers of a moment before may still have missed it. */
  readonly snapshotAt: number;
}

/** Causes of a refusal that the node is to mend by sending again: until it did, the sample is nowhere. */
const MENDABLE: ReadonlySet<string> = new Set(['object-missing', 'decoder-stuck']);
/** Answers this shortly before a snapshot may have come too late for it. */
const SNAPSHOT_SLACK_MS = 2_000;

interface Growing {
  readonly announced: Set<string>;
  readonly accepted: Map<string, number>;
  readonly tasks: Map<string, number>;
  readonly answers: Map<string, number>;
  readonly inDataset: Map<string, number>;
  readonly withheld: Set<string>;
  readonly quarantined: Set<string>;
}

/** The event of one task may be published twice under the same id; two tasks of one sample may not be. */
async function readLoop(bus: Bus, ledger: Growing): Promise<void> {
  const tasks = new Map<string, Set<string>>();
  for await (const { contract, payload } of bus.history('LOOP')) {
    if (contract.type === TaskCreated.type) {
      const task = payload as PayloadOf<typeof TaskCreated>;
      tasks.set(sampleOf(task), (tasks.get(sampleOf(task)) ?? new Set()).add(task.taskId));
    } else if (contract.type === SampleQuarantined.type) {
      const refusal = payload as PayloadOf<typeof SampleQuarantined>;
      if (!MENDABLE.has(refusal.cause)) ledger.quarantined.add(sampleOf(refusal));
    }
  }
  for (const [sample, ids] of tasks) ledger.tasks.set(sample, ids.size);
}

export async function readLedger({
  bus,
  store,
  newest,
  snapshotAt,
}: LedgerSources): Promise<{ ledger: Ledger; labeledBefore: ReadonlySet<string> }> {
  const ledger: Growing = {
    announced: new Set(),
    accepted: new Map(),
    tasks: new Map(),
    answers: new Map(),
    inDataset: new Map(),
    withheld: new Set(),
    quarantined: new Set(),
  };
  const labeledBefore = new Set<string>();
  for await (const { contract, payload } of bus.history('NODES'))
    if (contract.type === NodeManifest.type) ledger.announced.add(sampleOf(payload as PayloadOf<typeof NodeManifest>));
  for await (const { payload } of bus.history('SAMPLES')) count(ledger.accepted, sampleOf(payload as PayloadOf<typeof SampleAccepted>));
  for await (const { payload } of bus.history('LABELS')) {
    const answer = payload as PayloadOf<typeof TaskAnswered>;
    count(ledger.answers, sampleOf(answer));
    if (answer.outcome === 'labeled' && Date.parse(answer.answeredAt) < snapshotAt - SNAPSHOT_SLACK_MS) labeledBefore.add(sampleOf(answer));
  }
  await readLoop(bus, ledger);
  if (newest) {
    const snapshot = DatasetSnapshot.parse(JSON.parse(Buffer.from(await readVerified(store, newest.manifest)).toString('utf8')));
    for (const item of snapshot.items) if (item.origin === 'collected') count(ledger.inDataset, `${item.nodeId ?? ''}/${item.sampleId}`);
    const withheld = new Set(snapshot.withheld);
    for (const sample of ledger.answers.keys()) if (withheld.has(sample.split('/')[1] ?? '')) ledger.withheld.add(sample);
  }
  return { ledger, labeledBefore };
}

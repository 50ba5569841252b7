import type { TelemetryWindow } from '@edgeloop/contracts';
import { type Baseline, type Distance, distances, emptyBaseline, learn } from './baseline.ts';
import { detectionsOf, meanOf, type Measures, measuresOf } from './measures.ts';
import { type ReleaseTotals, withWindow } from './release-totals.ts';

/** When a node counts as drifted. Windows are counted, not seconds: how long a window lasts is the node's business. */
export interface DriftLimits {
  /** First windows with frames of a release on a node; they are its baseline. */
  readonly baselineWindows: number;
  /** Last windows whose mean is compared with the baseline. */
  readonly recentWindows: number;
  /** Comparisons in a row that must agree before the node drifts or settles. */
  readonly consecutive: number;
  /** Spreads beyond which a measure has left. */
  readonly leaveSpreads: number;
  /** Spreads within which every measure must be for the node to be back; less than `leaveSpreads`, so that it does not flicker. */
  readonly returnSpreads: number;
}

/** What is known of one node from its telemetry. */
export interface NodeField {
  readonly nodeId: string;
  /** The life of the node's state folder that counts now, and the last window of it that was taken. */
  readonly epoch: string | null;
  readonly sequence: number;
  /** Lives that ended; what comes from them is late. */
  readonly pastEpochs: readonly string[];
  readonly releaseId: string | null;
  /** Newest last. */
  readonly baselines: readonly Baseline[];
  readonly recent: readonly Measures[];
  /** Comparisons in a row with a measure outside, and with all inside. */
  readonly outside: number;
  readonly inside: number;
  readonly drifted: boolean;
  readonly totals: { readonly windows: number; readonly frames: number };
  /** What each of the last releases saw on this node, newest last. */
  readonly releases: readonly ReleaseTotals[];
  readonly last: { readonly at: string; readonly framesPerSecond: number; readonly measures: Measures } | null;
}

export type FieldEvent =
  | { readonly type: 'epoch-began'; readonly epoch: string }
  | { readonly type: 'release-began'; readonly releaseId: string }
  | { readonly type: 'window-taken'; readonly window: TakenWindow }
  | { readonly type: 'baseline-extended'; readonly measures: Measures }
  | { readonly type: 'compared'; readonly recent: readonly Measures[]; readonly verdict: Verdict }
  | {
      readonly type: 'drifted';
      readonly at: string;
      readonly measures: readonly Distance[];
      readonly windows: { readonly baseline: number; readonly recent: number };
    }
  | { readonly type: 'settled'; readonly at: string; readonly reason: string };

/** `between`: neither far enough out nor near enough in, or too few windows to tell. */
export type Verdict = 'outside' | 'inside' | 'between';

export interface TakenWindow {
  readonly sequence: number;
  readonly at: string;
  readonly releaseId: string | null;
  readonly frames: number;
  readonly emptyFrames: number;
  readonly detections: number;
  readonly framesPerSecond: number;
  readonly measures: Measures;
}

const PAST_EPOCHS_MAX = 8;
/** A node that is rolled back meets the baseline it had under the old release. */
const BASELINES_MAX = 4;

export function unknownNode(nodeId: string): NodeField {
  const nothing = {
    epoch: null,
    sequence: -1,
    pastEpochs: [],
    releaseId: null,
    baselines: [],
    recent: [],
    outside: 0,
    inside: 0,
    drifted: false,
  };
  return { nodeId, ...nothing, totals: { windows: 0, frames: 0 }, releases: [], last: null };
}

/** A window that was taken before, or is older than one that was, changes nothing. */
export function decide(field: NodeField, window: TelemetryWindow, limits: DriftLimits): readonly FieldEvent[] {
  if (isStale(field, window)) return [];
  const events: FieldEvent[] = [];
  if (window.epoch !== field.epoch) events.push({ type: 'epoch-began', epoch: window.epoch });
  const measures = measuresOf(window);
  const taken = {
    sequence: window.sequence,
    at: window.to,
    releaseId: window.releaseId,
    frames: window.frames,
    emptyFrames: window.emptyFrames,
    detections: detectionsOf(window),
    framesPerSecond: window.framesPerSecond,
    measures: measures ?? {},
  };
  events.push({ type: 'window-taken', window: taken });
  if (measures === undefined || window.releaseId === null) return events;
  events.push(...releaseChange(field, window.releaseId, window.to));
  return [...events, ...learnOrCompare(events.reduce(evolve, field), { measures, at: window.to }, limits)];
}

export function evolve(field: NodeField, event: FieldEvent): NodeField {
  switch (event.type) {
    case 'epoch-began': {
      const past = field.epoch === null ? field.pastEpochs : [...field.pastEpochs, field.epoch].slice(-PAST_EPOCHS_MAX);
      return { ...field, epoch: event.epoch, sequence: -1, pastEpochs: past };
    }
    case 'release-began':
      return {
        ...field,
        releaseId: event.releaseId,
        baselines: withBaseline(field.baselines, event.releaseId),
        recent: [],
        outside: 0,
        inside: 0,
      };
    case 'window-taken':
      return taken(field, event.window);
    case 'baseline-extended':
      return { ...field, baselines: field.baselines.map((one) => (one.releaseId === field.releaseId ? learn(one, event.measures) : one)) };
    case 'compared':
      return {
        ...field,
        recent: event.recent,
        outside: event.verdict === 'outside' ? field.outside + 1 : 0,
        inside: event.verdict === 'inside' ? field.inside + 1 : 0,
      };
    case 'drifted':
      return { ...field, drifted: true, inside: 0 };
    case 'settled':
      return { ...field, drifted: false, outside: 0 };
    default:
      return event satisfies never;
  }
}

/** Takes a batch of windows in the order in which the node made them: sequences count within one life of its state folder. */
export function observe(
  field: NodeField,
  windows: readonly TelemetryWindow[],
  limits: DriftLimits,
): { field: NodeField; events: readonly FieldEvent[] } {
  const events: FieldEvent[] = [];
  let now = field;
  for (const window of inOrder(windows)) {
    const decided = decide(now, window, limits);
    now = decided.reduce(evolve, now);
    events.push(...decided);
  }
  return { field: now, events };
}

function inOrder(windows: readonly TelemetryWindow[]): readonly TelemetryWindow[] {
  const epochs = [...new Set(windows.map((window) => window.epoch))];
  return epochs.flatMap((epoch) =>
    windows.filter((window) => window.epoch === epoch).toSorted((one, other) => one.sequence - other.sequence),
  );
}

function isStale(field: NodeField, window: TelemetryWindow): boolean {
  return window.epoch === field.epoch ? window.sequence <= field.sequence : field.pastEpochs.includes(window.epoch);
}

/** A new release begins its own baseline, so what the old one was compared with says nothing any more. */
function releaseChange(field: NodeField, releaseId: string, at: string): FieldEvent[] {
  if (releaseId === field.releaseId) return [];
  const began: FieldEvent = { type: 'release-began', releaseId };
  return field.drifted
    ? [began, { type: 'settled', at, reason: `release ${releaseId} runs now and is measured by its own baseline` }]
    : [began];
}

function learnOrCompare(field: NodeField, seen: { measures: Measures; at: string }, limits: DriftLimits): FieldEvent[] {
  const baseline = baselineOf(field);
  if (baseline === undefined || baseline.windows < limits.baselineWindows) return [{ type: 'baseline-extended', measures: seen.measures }];
  const recent = [...field.recent, seen.measures].slice(-limits.recentWindows);
  const found = recent.length < limits.recentWindows ? [] : distances(baseline, meanOf(recent));
  const compared = { type: 'compared', recent, verdict: verdictOf(found, limits) } as const;
  const after = evolve(field, compared);
  if (!after.drifted && after.outside >= limits.consecutive) {
    const measures = found.filter((one) => one.distance > limits.leaveSpreads);
    return [compared, { type: 'drifted', at: seen.at, measures, windows: { baseline: baseline.windows, recent: recent.length } }];
  }
  if (after.drifted && after.inside >= limits.consecutive) {
    return [
      compared,
      { type: 'settled', at: seen.at, reason: `every measure is within ${limits.returnSpreads} spreads of the baseline again` },
    ];
  }
  return [compared];
}

function verdictOf(found: readonly Distance[], limits: DriftLimits): Verdict {
  if (found.length === 0) return 'between';
  if (found.some((one) => one.distance > limits.leaveSpreads)) return 'outside';
  return found.every((one) => one.distance < limits.returnSpreads) ? 'inside' : 'between';
}

function taken(field: NodeField, window: TakenWindow): NodeField {
  const totals = { windows: field.totals.windows + 1, frames: field.totals.frames + window.frames };
  const last = {
    at: window.at,
    framesPerSecond: window.framesPerSecond,
    measures: window.frames === 0 ? (field.last?.measures ?? {}) : window.measures,
  };
  return { ...field, sequence: window.sequence, totals, releases: withWindow(field.releases, window), last };
}

function withBaseline(baselines: readonly Baseline[], releaseId: string): readonly Baseline[] {
  const known = baselines.find((one) => one.releaseId === releaseId) ?? emptyBaseline(releaseId);
  return [...baselines.filter((one) => one.releaseId !== releaseId), known].slice(-BASELINES_MAX);
}

export function baselineOf(field: NodeField): Baseline | undefined {
  return field.baselines.find((one) => one.releaseId === field.releaseId);
}

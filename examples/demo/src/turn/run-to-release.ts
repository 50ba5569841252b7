import { ReleasePublished, RolloutEnded, RunCompleted, RunEnded } from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';
import type { Screen } from '../narration/screen.ts';
import type { TurnLog } from '../narration/turn-log.ts';

export type Release = PayloadOf<typeof ReleasePublished>;

/** What a run led to that passed its gate. */
export interface RolledOut {
  readonly completed: PayloadOf<typeof RunCompleted>;
  readonly release: Release;
  readonly rollout: PayloadOf<typeof RolloutEnded>;
}

/** The loop came to a stop where it should have gone on; the words say what it said. */
export class LoopStoppedError extends Error {
  override readonly name = 'LoopStoppedError';
}

interface Watching {
  readonly log: TurnLog;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

const MINUTE_MS = 60_000;
const RUN_LIMIT_MS = 120 * MINUTE_MS;
const RELEASE_LIMIT_MS = 3 * MINUTE_MS;
const ROLLOUT_LIMIT_MS = 5 * MINUTE_MS;

export function stoppedBy({ runId, outcome, step, reason }: PayloadOf<typeof RunEnded>): LoopStoppedError {
  return new LoopStoppedError(`run ${runId} ended without a model (${outcome}${step === null ? '' : ` at ${step}`}): ${reason}`);
}

/** The model that the run made, or why it made none. */
export async function untilRunEnds(
  { log, screen, signal }: Watching,
  runId: string,
): Promise<PayloadOf<typeof RunCompleted> | PayloadOf<typeof RunEnded>> {
  const seen = new AbortController();
  const wait = {
    what: `run ${runId} to end`,
    limitMs: RUN_LIMIT_MS,
    signal: AbortSignal.any([signal, seen.signal]),
    matches: (each: { runId: string }) => each.runId === runId,
  };
  try {
    return await Promise.race([log.waitFor(RunCompleted, wait), log.waitFor(RunEnded, wait)]);
  } finally {
    seen.abort();
    screen.endProgress();
  }
}

/** @throws LoopStoppedError when the rollout does not reach every node */
export async function untilRolledOut({ log, signal }: Watching, completed: PayloadOf<typeof RunCompleted>): Promise<RolledOut> {
  const { runId } = completed;
  const release = await log.waitFor(ReleasePublished, {
    what: `a release of run ${runId}`,
    limitMs: RELEASE_LIMIT_MS,
    signal,
    matches: (each) => each.runId === runId,
  });
  const rollout = await log.waitFor(RolloutEnded, {
    what: `${release.releaseId} to reach the fleet`,
    limitMs: ROLLOUT_LIMIT_MS,
    signal,
    matches: (each) => each.releaseId === release.releaseId,
  });
  if (rollout.outcome !== 'completed')
    throw new LoopStoppedError(`the rollout of ${release.releaseId} ended ${rollout.outcome}: ${rollout.reason}`);
  return { completed, release, rollout };
}

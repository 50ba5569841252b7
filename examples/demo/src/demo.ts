import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Stack } from '@edgeloop/cli';
import { AskDatasets } from '@edgeloop/contracts';
import { StoreConfig, orAborted, readConfig } from '@edgeloop/runtime';
import { storeFromConfig } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import { Chaos } from './chaos/chaos.ts';
import { watchRoom } from './disk-room.ts';
import { keepAll, writePictures } from './keep.ts';
import { SimulatedPerson } from './labeler/simulated-person.ts';
import { Screen } from './narration/screen.ts';
import { tellStory } from './narration/story.ts';
import { TurnLog, followLoop } from './narration/turn-log.ts';
import type { DemoOptions } from './options.ts';
import { requirePreconditions } from './preconditions.ts';
import { prepareScenario } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { scorecard } from './score/scorecard.ts';
import { buildReport } from './turn/build-report.ts';
import { serviceSettings } from './turn/service-settings.ts';
import { Turn, nodeName, releaseAfter } from './turn/turn.ts';
import type { Round } from './turn/turn.ts';
import { startCameras } from './world/camera-server.ts';
import type { CameraServer } from './world/camera-server.ts';

export interface DemoParts {
  readonly options: DemoOptions;
  readonly dataDir: string;
  /** Empty; for what the scenario makes before anything is started. */
  readonly preparedDir: string;
  /** Makes way for this turn in `dataDir`, where the last one lies until then. */
  readonly clear: () => Promise<void>;
  /** Seconds that set-up took right before. */
  readonly setupSeconds: number;
  readonly signal: AbortSignal;
}

interface Running {
  readonly scenario: Scenario;
  readonly stack: Stack;
  readonly store: ObjectStore;
  readonly cameras: CameraServer;
  readonly person: SimulatedPerson;
  readonly screen: Screen;
  readonly log: TurnLog;
}

function tellInto(screen: Screen, log: TurnLog): void {
  log.onEvent(({ type, payload }) => {
    const told = tellStory(type, payload);
    if (told && 'said' in told) screen.say(told.said);
    else if (told) screen.progress(told.progress);
  });
}

async function startPerson(stack: Stack, scenario: Scenario): Promise<SimulatedPerson> {
  const apiUrl = async (): Promise<string> => (await stack.bus.ask(AskDatasets, { limit: 1 })).apiUrl;
  const person = new SimulatedPerson({ apiUrl, look: (jpeg) => scenario.world.truthOf(jpeg) });
  person.start();
  return person;
}

async function playTurn(running: Running, { options, signal }: DemoParts, chaos: Chaos | null): Promise<Round[]> {
  const { screen, scenario } = running;
  const turn = new Turn({ ...running, signal, nodes: options.nodes, fps: options.fps, chaos });
  screen.heading('The first model');
  const imported = await turn.importDataset();
  await turn.startNodes();
  let release = await turn.firstRelease(imported);
  screen.heading('Day');
  screen.note(`${options.nodes} cameras look at the ${scenario.title}`);
  const rounds: Round[] = [];
  for (let index = 0; index < options.rounds; index += 1) {
    const round = await turn.round(index, release);
    rounds.push(round);
    release = releaseAfter(round);
    if (round.rolledOut === null) {
      screen.note(`the gate refused the candidate; no further round: the next light is the one that ${release.releaseId} knows`);
      break;
    }
  }
  await chaos?.finish();
  return rounds;
}

async function showScore(
  running: Running,
  parts: DemoParts,
  turn: { rounds: readonly Round[]; startedAt: number; chaos: Chaos | null },
): Promise<boolean> {
  const { screen, stack, store, log, scenario } = running;
  const { options, dataDir, setupSeconds } = parts;
  screen.heading('Scorecard');
  const scored = await buildReport({
    stack,
    store,
    log,
    world: scenario.world,
    rounds: turn.rounds,
    setupSeconds,
    startedAtMs: turn.startedAt,
    seed: options.seed,
    killed: turn.chaos?.killed ?? null,
    onScored: (done, all) => screen.progress({ arrow: 'watch', label: 'scoring releases in the field', done, total: all, note: '' }),
  });
  screen.endProgress();
  screen.line(scorecard(scored.report));
  screen.line(`pictures ${(await writePictures(options.keep ?? dataDir, scored)).join(', ')}`);
  if (options.report !== undefined) await writeFile(resolve(options.report), `${JSON.stringify(scored.report, null, 2)}\n`);
  if (options.keep !== undefined) await keepAll(options.keep, { scored, store, log });
  return scored.report.better.verdict;
}

function untilInterrupted(signal: AbortSignal): Promise<void> {
  return signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

interface Told {
  readonly screen: Screen;
  readonly log: TurnLog;
  readonly startedAt: number;
}

/** The turn from the first model to the scorecard; true when the new model is really better. */
async function playAndScore(running: Running, parts: DemoParts, startedAt: number): Promise<boolean> {
  const { stack, screen, log } = running;
  const { options, signal } = parts;
  await followLoop(stack.bus, log, 'demo');
  const chaos = options.chaos
    ? new Chaos({ stack, seed: options.seed, node: nodeName(0), signal, tell: (text) => screen.note(text) })
    : null;
  chaos?.follow(log);
  const rounds = await playTurn(running, parts, chaos);
  return showScore(running, parts, { rounds, startedAt, chaos });
}

/** Everything that needs the stack; what was started here ends before it does. */
async function playOn(stack: Stack, scenario: Scenario, parts: DemoParts, told: Told): Promise<boolean> {
  const { screen, log, startedAt } = told;
  const store = storeFromConfig(readConfig('demo', StoreConfig, { ...stack.environment }));
  const cameras = await startCameras(scenario.world);
  const person = await startPerson(stack, scenario);
  try {
    const running = { scenario, stack, store, cameras, person, screen, log };
    const better = await orAborted(playAndScore(running, parts, startedAt), parts.signal);
    if (!parts.options.once) {
      screen.line(`\nThe loop keeps running; look at it with "npx edgeloop status --data ${stack.dataDir}". Ctrl-C stops it.`);
      await untilInterrupted(parts.signal);
    }
    return better;
  } finally {
    screen.endProgress();
    await person.stop();
    await cameras.close();
  }
}

async function prepareAndPlay(parts: DemoParts, startedAt: number): Promise<boolean> {
  const { options, dataDir, preparedDir, signal } = parts;
  const screen = new Screen(process.stdout);
  const log = new TurnLog();
  tellInto(screen, log);
  screen.heading('edgeloop: one turn of the loop');
  await requirePreconditions(options, preparedDir);
  const scenario = await orAborted(prepareScenario(options, preparedDir), signal);
  await parts.clear();
  screen.note(scenario.title);
  for (const remark of scenario.remarks) screen.note(remark);
  const stack = await Stack.start({
    dataDir: join(dataDir, 'stack'),
    services: serviceSettings(scenario, options.nodes),
    signal,
    onProgress: (text) => screen.note(`starting ${text}`),
  });
  stack.supervisor.on('restarted', ({ name }) => screen.note(`${name} is back`));
  stack.supervisor.on('exited', ({ name, expected, cause }) => {
    if (!expected) screen.note(`${name} ended${cause === undefined ? '' : ` (${cause.reason})`} and is started again`);
  });
  try {
    return await playOn(stack, scenario, parts, { screen, log, startedAt });
  } finally {
    await stack.stop();
  }
}

/**
 * Plays the turn, shows the scorecard, cleans up. Resolves with the exit status: 0 only if the new model is really better.
 * Rejects with the signal's reason when it aborts before the scorecard.
 */
export async function runDemo(parts: DemoParts): Promise<number> {
  const room = watchRoom(parts.preparedDir);
  const signal = AbortSignal.any([parts.signal, room.signal]);
  try {
    const better = await prepareAndPlay({ ...parts, signal }, Date.now());
    room.signal.throwIfAborted();
    return better ? 0 : 1;
  } catch (cause) {
    // Whatever failed first on a full disk: the disk is why.
    throw room.signal.aborted ? room.signal.reason : cause;
  } finally {
    room.stop();
  }
}

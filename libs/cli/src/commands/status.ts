import { AskDatasets, AskField, AskNodes, AskReleases, AskRollouts, AskRuns, AskSamples } from '@edgeloop/contracts';
import type { Bus } from '@edgeloop/bus';
import type { NodeView, ReplyOf, RequestContract } from '@edgeloop/contracts';
import type { Command } from 'commander';
import pc from 'picocolors';
import { withBus } from '../connection.ts';
import { counted } from '../domain/words.ts';
import { show } from '../output.ts';
import { asking } from './shared.ts';
import type { CommonOptions } from './shared.ts';

const ANSWER_WITHIN_MS = 2_000;

type Answer<C extends RequestContract> = ReplyOf<C> | { readonly away: string };

async function askOrSay<C extends RequestContract>(bus: Bus, contract: C, payload: Parameters<typeof bus.ask<C>>[1]): Promise<Answer<C>> {
  return bus
    .ask(contract, payload, { timeoutMs: ANSWER_WITHIN_MS })
    .catch((cause: unknown) => ({ away: cause instanceof Error ? cause.message : String(cause) }));
}

function line<T extends object>(name: string, answer: T | { readonly away: string }, words: (answer: T) => string): string {
  const text = 'away' in answer ? pc.red(`does not answer: ${String(answer.away)}`) : words(answer as T);
  return `${name.padEnd(16)} ${text}`;
}

async function gather(bus: Bus) {
  const [nodes, field, runs, releases, rollouts, samples, datasets] = await Promise.all([
    askOrSay(bus, AskNodes, {}),
    askOrSay(bus, AskField, {}),
    askOrSay(bus, AskRuns, { limit: 5 }),
    askOrSay(bus, AskReleases, { limit: 5 }),
    askOrSay(bus, AskRollouts, { limit: 5 }),
    askOrSay(bus, AskSamples, { limit: 1 }),
    askOrSay(bus, AskDatasets, { limit: 5 }),
  ]);
  return { nodes, field, runs, releases, rollouts, samples, datasets };
}

/** Nodes that nothing was rolled out to yet do not fail: they are not counted. */
export function fleetText(nodes: readonly NodeView[]): string {
  const connected = nodes.filter((node) => node.connected).length;
  const wanted = nodes.filter((node) => node.desired.releaseId !== null);
  const right = wanted.filter((node) => node.running?.releaseId === node.desired.releaseId).length;
  const running =
    wanted.length === 0
      ? 'nothing rolled out to them yet'
      : `${right} of ${wanted.length} ${right === 1 ? 'runs what it' : 'run what they'} should`;
  return nodes.length === 0 ? 'no node has joined yet' : `${counted(nodes.length, 'node')}, ${connected} connected, ${running}`;
}

function statusText(state: Awaited<ReturnType<typeof gather>>): string {
  return [
    line('fleet', state.nodes, ({ nodes }) => fleetText(nodes)),
    line('evidence', state.field, ({ nodes, releases }) =>
      [
        nodes.length === 0
          ? 'no node has told what it sees'
          : `${nodes.filter((node) => node.drifted).length} of ${counted(nodes.length, 'node')} off the baseline`,
        ...releases.map(
          (each) => `${each.releaseId} saw ${each.detectionsPerFrame.toFixed(1)} boxes a frame on ${counted(each.frames, 'frame')}`,
        ),
      ].join('; '),
    ),
    line('trainer', state.runs, ({ runs }) =>
      runs[0]
        ? `${runs[0].runId} ${runs[0].status}${runs[0].step ? ` at ${runs[0].step}` : ''}${runs[0].reason ? `: ${runs[0].reason}` : ''}`
        : 'no run yet',
    ),
    line('publisher', state.releases, ({ releases }) => (releases[0] ? `newest release ${releases[0].releaseId}` : 'no release yet')),
    line('rollout', state.rollouts, ({ rollouts }) =>
      rollouts[0]
        ? `${rollouts[0].releaseId} ${rollouts[0].status}, ${rollouts[0].waves.length === 0 ? 'no node was selected' : `wave ${rollouts[0].wave + 1} of ${rollouts[0].waves.length}`}`
        : 'no rollout yet',
    ),
    line('collector', state.samples, (answer) => `${counted(answer.accepted, 'sample')} accepted, ${answer.quarantined} in quarantine`),
    line(
      'labeling-bridge',
      state.datasets,
      ({ tasks, datasets }) =>
        `${counted(tasks.open, 'task')} open, ${tasks.answered} answered; ${datasets[0] ? `dataset v${datasets[0].version} with ${counted(datasets[0].items, 'picture')}` : 'no dataset yet'}`,
    ),
  ].join('\n');
}

export function statusCommand(program: Command): void {
  asking(program.command('status').description('how the whole loop stands, service by service')).action(async (options: CommonOptions) => {
    const state = await withBus(options.data, gather);
    show(options, { value: state, text: statusText(state) });
    if (Object.values(state).some((answer) => 'away' in answer)) process.exitCode = 1;
  });
}

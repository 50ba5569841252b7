import { AskDatasets, AskField, AskNodes, AskReleases, AskRollouts, AskRuns, AskSamples } from '@edgeloop/contracts';
import type { Bus } from '@edgeloop/bus';
import type { ReplyOf, RequestContract } from '@edgeloop/contracts';
import type { Command } from 'commander';
import pc from 'picocolors';
import { withBus } from '../connection.ts';
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

function statusText(state: Awaited<ReturnType<typeof gather>>): string {
  return [
    line(
      'fleet',
      state.nodes,
      ({ nodes }) =>
        `${nodes.length} nodes, ${nodes.filter((node) => node.connected).length} connected, ${nodes.filter((node) => node.desired.releaseId !== null && node.running?.releaseId === node.desired.releaseId).length} run what they should`,
    ),
    line('evidence', state.field, ({ nodes, releases }) =>
      [
        `${nodes.filter((node) => node.drifted).length} of ${nodes.length} nodes are off their baseline`,
        ...releases.map((each) => `${each.releaseId} saw ${each.detectionsPerFrame.toFixed(1)} boxes a frame on ${each.frames} frames`),
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
        ? `${rollouts[0].releaseId} ${rollouts[0].status}, wave ${rollouts[0].wave + 1} of ${rollouts[0].waves.length}`
        : 'no rollout yet',
    ),
    line('collector', state.samples, (answer) => `${answer.accepted} samples accepted, ${answer.quarantined} in quarantine`),
    line(
      'labeling-bridge',
      state.datasets,
      ({ tasks, datasets }) =>
        `${tasks.open} tasks open, ${tasks.answered} answered; ${datasets[0] ? `dataset ${datasets[0].version} with ${datasets[0].items} pictures` : 'no dataset yet'}`,
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

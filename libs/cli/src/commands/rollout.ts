import { AskRolloutCommand, AskRollouts, AskStartRollout, NodeId, ReleaseId, RolloutId } from '@edgeloop/contracts';
import type { RolloutView } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { ago, show, table } from '../output.ts';
import { asking, idOf, reasonText } from './shared.ts';
import type { CommonOptions } from './shared.ts';

function rolloutsTable(rollouts: readonly RolloutView[]): string {
  const rows = rollouts.map((each) => {
    const waves = each.waves
      .map((wave) => `${wave.running}/${wave.nodeIds.length}${wave.failed ? ` (${wave.failed} failed)` : ''}`)
      .join(', ');
    return [each.rolloutId, each.releaseId, each.status, waves, ago(each.startedAt, Date.now()), each.reason];
  });
  return table(
    ['rollout', 'release', 'status', 'running per wave', 'started', 'why'],
    rows,
    'no rollout yet: a published release starts one by itself, or "edgeloop rollout start RELEASE"',
  );
}

export function rolloutText(rollout: RolloutView): string {
  const waves = rollout.waves.map((wave, index) => [index + 1, wave.nodeIds.join(', ') || '-', wave.running, wave.failed, wave.pending]);
  return `${rollout.rolloutId}: ${rollout.releaseId} ${rollout.status}, ${rollout.reason}\n${table(['wave', 'nodes', 'running', 'failed', 'pending'], waves, 'no node was selected')}`;
}

const rolloutArgument = idOf('the id of a rollout', RolloutId);
const nodeArgument = idOf('the name of a node', NodeId);

async function find(options: CommonOptions, id: string): Promise<RolloutView> {
  const { rollouts } = await withBus(options.data, (bus) => bus.ask(AskRollouts, { limit: 1000 }));
  const found = rollouts.find((each) => each.rolloutId === id || each.releaseId === id);
  if (!found) throw new UsageError(`there is no rollout ${id}: "edgeloop rollout" lists them`);
  return found;
}

export function rolloutCommand(program: Command): void {
  const rollout = asking(program.command('rollout').description('rollouts, newest first'));
  rollout.action(async (options: CommonOptions) => {
    const { rollouts } = await withBus(options.data, (bus) => bus.ask(AskRollouts, {}));
    show(options, { value: rollouts, text: rolloutsTable(rollouts) });
  });
  asking(
    rollout
      .command('start')
      .argument('<release>', 'its id', idOf('the id of a release', ReleaseId))
      .description('rolls a release out in waves'),
  )
    .option('--nodes <ids>', 'only these nodes, comma-separated (default: all)', (text) =>
      text.split(',').map((id) => nodeArgument(id.trim())),
    )
    .option('--reason <text>', 'kept with the rollout', reasonText, 'by hand')
    .action(async (releaseId: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { nodes?: string[]; reason: string }>();
      const selection = options.nodes === undefined ? { all: true as const } : { nodeIds: options.nodes };
      const started = await withBus(options.data, (bus) => bus.ask(AskStartRollout, { releaseId, selection, reason: options.reason }));
      show(options, { value: started, text: `${started.rolloutId} has begun; watch it with "edgeloop rollout show ${started.rolloutId}"` });
    });
  asking(rollout.command('show <rollout>').description('one rollout, wave by wave (its id, or its release)')).action(
    async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const found = await find(options, id);
      show(options, { value: found, text: rolloutText(found) });
    },
  );
  for (const [verb, words] of [
    ['pause', 'offers the release to no further node'],
    ['resume', 'goes on with a paused rollout'],
    ['abort', 'ends it and brings its nodes back to what they ran before'],
  ] as const) {
    asking(rollout.command(verb).argument('<rollout>', 'its id', rolloutArgument).description(words)).action(
      async (rolloutId: string, _: unknown, command: Command) => {
        const options = command.optsWithGlobals<CommonOptions>();
        const { rollout: view } = await withBus(options.data, (bus) =>
          bus.ask(AskRolloutCommand, { rolloutId, command: verb, by: process.env['USER'] ?? 'cli' }),
        );
        show(options, { value: view, text: rolloutText(view) });
      },
    );
  }
}

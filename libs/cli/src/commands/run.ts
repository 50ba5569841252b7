import { AskCancelRun, AskRuns, AskStartRun } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { ago, show, table } from '../output.ts';
import { LIMIT_MAX, asking, wholeNumber } from './shared.ts';
import type { CommonOptions } from './shared.ts';

export function runCommand(program: Command): void {
  const run = asking(program.command('run').description('pipeline runs, newest first')).option(
    '--limit <n>',
    'how many',
    wholeNumber(1, LIMIT_MAX),
    20,
  );
  run.action(async (options: CommonOptions & { limit: number }) => {
    const { runs } = await withBus(options.data, (bus) => bus.ask(AskRuns, { limit: options.limit }));
    const rows = runs.map((each) => [
      each.runId,
      each.version,
      each.status,
      each.step ?? '-',
      ago(each.startedAt, Date.now()),
      each.reason ?? each.trigger,
    ]);
    show(options, {
      value: runs,
      text: table(
        ['run', 'version', 'status', 'step', 'started', 'why'],
        rows,
        'no run yet: new labels start one, or "edgeloop run start"',
      ),
    });
  });
  asking(run.command('start').description('trains now'))
    .option('--dataset <id>', 'dataset to train on (default: the newest)')
    .option('--reason <text>', 'kept with the run', 'by hand')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { dataset?: string; reason: string }>();
      const started = await withBus(options.data, (bus) =>
        bus.ask(AskStartRun, { kind: 'train', datasetId: options.dataset, reason: options.reason }),
      );
      show(options, { value: started, text: `${started.runId} is under way; "edgeloop run" shows how it stands` });
    });
  asking(run.command('cancel <run>').description('stops a run')).action(async (runId: string, _: unknown, command: Command) => {
    const options = command.optsWithGlobals<CommonOptions>();
    const answer = await withBus(options.data, (bus) => bus.ask(AskCancelRun, { runId }));
    show(options, { value: answer, text: answer.cancelled ? `${runId} stops` : `${runId} does not run` });
  });
}

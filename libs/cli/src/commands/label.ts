import { AskDatasets, AskSnapshot } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { ago, show, table } from '../output.ts';
import { asking } from './shared.ts';
import type { CommonOptions } from './shared.ts';

export function labelCommand(program: Command): void {
  const label = asking(program.command('label').description('open labeling work, and the datasets that came of it'));
  label.action(async (options: CommonOptions) => {
    const answer = await withBus(options.data, (bus) => bus.ask(AskDatasets, {}));
    const rows = answer.datasets.map((each) => [
      each.version,
      each.datasetId,
      each.items,
      each.train,
      each.holdout,
      each.newLabels,
      ago(each.createdAt, Date.now()),
    ]);
    const { open, claimed, answered, skipped } = answer.tasks;
    const text = `tasks: ${open} open, ${claimed} claimed, ${answered} answered, ${skipped} skipped\nlabeling API: ${answer.apiUrl}/v1/tasks\n${table(['version', 'dataset', 'pictures', 'train', 'holdout', 'new labels', 'frozen'], rows, 'no dataset yet')}`;
    show(options, { value: answer, text });
  });
  asking(label.command('snapshot').description('freezes the dataset now'))
    .option('--reason <text>', 'kept with the dataset', 'by hand')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { reason: string }>();
      const frozen = await withBus(options.data, (bus) => bus.ask(AskSnapshot, { reason: options.reason }));
      show(options, { value: frozen, text: `dataset ${frozen.version} (${frozen.datasetId}) holds ${frozen.newLabels} new labels` });
    });
}

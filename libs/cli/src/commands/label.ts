import { AskRefusedError } from '@edgeloop/bus';
import { AskDatasets, AskSnapshot } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { ago, show, table } from '../output.ts';
import type { LabelImportOptions, LabelImported } from './label-import.ts';
import { asking, nameText, reasonText } from './shared.ts';
import type { CommonOptions } from './shared.ts';

/** Of the condition that pictures were taken in. */
const SLICE_LENGTH_MAX = 32;

function importedText({ datasetId, version, pictures, boxes, classes, holdout, remarks }: LabelImported): string {
  const first =
    holdout > 0
      ? '"edgeloop run start" trains a first model on it, "edgeloop run import MODEL.onnx" brings one along'
      : '"edgeloop run import MODEL.onnx" brings a first model along; to train one here instead, begin anew with "edgeloop up --train-first", which keeps pictures to judge it by';
  return [
    `dataset v${version} (${datasetId}): ${pictures} pictures with ${boxes} boxes of ${classes.join(', ')} came in`,
    ...remarks,
    ...(version === 1 ? [`next: ${first}`] : []),
  ].join('\n');
}

/** What a snapshot is refused for, with the commands that mend it. */
function withCommands(cause: unknown): unknown {
  if (!(cause instanceof AskRefusedError)) return cause;
  if (cause.code === 'no-classes')
    return new UsageError(
      'there is no dataset yet, and nobody has said which classes there are: bring labelled pictures in with "edgeloop label import DIR"',
    );
  if (cause.code === 'nothing-new')
    return new UsageError(
      'there is no label that the last snapshot does not hold: label some tasks ("edgeloop label" says where), or bring labelled pictures in with "edgeloop label import DIR"',
    );
  return cause;
}

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
    const text = `tasks: ${open} open, ${claimed} claimed, ${answered} answered, ${skipped} skipped\nlabeling API: ${answer.apiUrl}/v1/tasks\n${table(['version', 'dataset', 'pictures', 'train', 'holdout', 'new labels', 'frozen'], rows, 'no dataset yet: bring labelled pictures in with "edgeloop label import DIR"')}`;
    show(options, { value: answer, text });
  });
  asking(label.command('import <folder>').description('brings labelled pictures in: JPEGs, their YOLO labels, classes.txt'))
    .option('--skip-bad', 'leave unreadable photos and bad label lines out, counted, instead of stopping', false)
    .option('--slice <name>', 'condition that they were taken in, for scores per slice', nameText(SLICE_LENGTH_MAX), 'day')
    .option('--reason <text>', 'kept with the dataset', reasonText, 'labelled before')
    .action(async (folder: string, _: unknown, command: Command) => {
      // Loaded when it is needed: it reads pictures, and every other command would wait for that.
      const { importLabels } = await import('./label-import.ts');
      const options = command.optsWithGlobals<LabelImportOptions>();
      const imported = await importLabels(folder, options);
      show(options, { value: imported, text: importedText(imported) });
    });
  asking(label.command('snapshot').description('freezes the dataset now'))
    .option('--reason <text>', 'kept with the dataset', reasonText, 'by hand')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { reason: string }>();
      const frozen = await withBus(options.data, (bus) => bus.ask(AskSnapshot, { reason: options.reason })).catch((cause: unknown) => {
        throw withCommands(cause);
      });
      show(options, { value: frozen, text: `dataset ${frozen.version} (${frozen.datasetId}) holds ${frozen.newLabels} new labels` });
    });
}

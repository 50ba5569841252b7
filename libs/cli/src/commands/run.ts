import { AskRefusedError } from '@edgeloop/bus';
import { AskCancelRun, AskRuns, AskStartRun, DatasetId, RunId } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { ago, show, table } from '../output.ts';
import { DEFAULT_MODEL_NAME } from '../stack/programs.ts';
import type { RunImportOptions } from './run-import.ts';
import { LIMIT_MAX, asking, idOf, nameText, reasonText, wholeNumber } from './shared.ts';
import type { CommonOptions } from './shared.ts';

const MODEL_NAME_LENGTH_MAX = 64;
const MODEL_NAME = process.env['TRAINER_MODEL_NAME'] ?? DEFAULT_MODEL_NAME;

type StartOptions = CommonOptions & { readonly dataset?: string; readonly reason: string };

async function startRun({ data, dataset, reason }: StartOptions): Promise<{ runId: string }> {
  return withBus(data, (bus) => bus.ask(AskStartRun, { kind: 'train', datasetId: dataset, reason })).catch((cause: unknown) => {
    if (!(cause instanceof AskRefusedError) || cause.code !== 'dataset-unknown') throw cause;
    if (dataset !== undefined) throw new UsageError(`${cause.message}; "edgeloop label" lists them`);
    throw new UsageError(
      'there is no dataset yet: bring labelled pictures in with "edgeloop label import DIR" first (and a model that exists with "edgeloop run import MODEL.onnx")',
    );
  });
}

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
        'no run yet: new labels start one, or "edgeloop run start"; "edgeloop run import MODEL.onnx" brings a model along',
      ),
    });
  });
  asking(run.command('start').description('trains now'))
    .option('--dataset <id>', 'dataset to train on (default: the newest)', idOf('the id of a dataset', DatasetId))
    .option('--reason <text>', 'kept with the run', reasonText, 'by hand')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<StartOptions>();
      const started = await startRun(options);
      show(options, { value: started, text: `${started.runId} is under way; "edgeloop run" shows how it stands` });
    });
  asking(run.command('import <model>').description("brings an ONNX detector of YOLO's kind in as the model"))
    .option('--classes <file>', "its class names, one a line, where the model does not name them (default: the newest dataset's)")
    .option('--name <name>', 'model that the trainer keeps (TRAINER_MODEL_NAME)', nameText(MODEL_NAME_LENGTH_MAX), MODEL_NAME)
    .option('--reason <text>', 'kept with the run', reasonText, 'brought along')
    .action(async (path: string, _: unknown, command: Command) => {
      // Loaded when it is needed: it brings the model runtime, and every other command would wait for that.
      const { importModel } = await import('./run-import.ts');
      const options = command.optsWithGlobals<RunImportOptions>();
      const imported = await importModel(path, options);
      const { runId, status, version, classes, remarks } = imported;
      const said = `${runId} brings ${path} in as ${options.name}${version === null ? '' : ` ${version}`} (${classes.join(', ')}): ${status}; "edgeloop run" shows how it stands`;
      show(options, { value: imported, text: [...remarks, said].join('\n') });
    });
  asking(run.command('cancel').argument('<run>', 'its id', idOf('the id of a run', RunId)).description('stops a run')).action(
    async (runId: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const answer = await withBus(options.data, (bus) => bus.ask(AskCancelRun, { runId }));
      if (answer.cancelled || options.json) show(options, { value: answer, text: `${runId} stops` });
      if (!answer.cancelled)
        throw new UsageError(`${runId} does not run, so nothing was stopped: "edgeloop run" lists the runs and how they stand`);
    },
  );
}

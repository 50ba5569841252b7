#!/usr/bin/env node
import { rename, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { VisionError } from '../errors.ts';
import { framesOf, openDatasetFolder } from '../evaluation/dataset-folder.ts';
import type { DatasetFolder } from '../evaluation/dataset-folder.ts';
import { evaluateModel } from '../evaluation/evaluate-model.ts';
import type { Evaluation } from '../evaluation/evaluate-model.ts';

const USAGE = `usage: edgeloop-evaluate --model MODEL.onnx --dataset DIR --out FILE.json [--incumbent MODEL.onnx] [--skip-bad] [--threads N]

Scores a model (mAP50) on a folder of images/, labels/ (YOLO text), classes.txt and, if present, slices.json {file: slice}.
  --incumbent  scores this model on the same pictures too
  --skip-bad   leaves bad label lines out and counts them, instead of stopping at the first
  --threads    threads of the model runtime, default 1`;

/** Exit statuses. */
const EXIT = { done: 0, failed: 1, usage: 2 } as const;

interface Arguments {
  readonly model: string;
  readonly dataset: string;
  readonly out: string;
  readonly incumbent: string | undefined;
  readonly skipBad: boolean;
  readonly threads: number;
}

function readArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      model: { type: 'string' },
      incumbent: { type: 'string' },
      dataset: { type: 'string' },
      out: { type: 'string' },
      'skip-bad': { type: 'boolean', default: false },
      threads: { type: 'string', default: '1' },
    },
  });
  const { model, dataset, out, incumbent } = values;
  const threads = Number(values.threads);
  if (model === undefined || dataset === undefined || out === undefined) throw new TypeError('--model, --dataset and --out are needed');
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 64)) throw new TypeError('--threads takes a whole number from 1 to 64');
  return { model, dataset, out, incumbent, skipBad: values['skip-bad'], threads };
}

async function evaluate(args: Arguments): Promise<void> {
  const dataset = await openDatasetFolder(args.dataset);
  const candidate = await scored(args.model, dataset, args);
  const incumbent = args.incumbent === undefined ? null : await scored(args.incumbent, dataset, args);
  const report = { candidate: candidate.evaluation, incumbent: incumbent?.evaluation ?? null, badLines: candidate.badLines };
  await writeWhole(args.out, `${JSON.stringify(report, null, 2)}\n`);
  console.log(
    JSON.stringify({
      candidate: mapsOf(candidate.evaluation),
      incumbent: incumbent && mapsOf(incumbent.evaluation),
      badLines: candidate.badLines,
    }),
  );
}

async function scored(modelPath: string, dataset: DatasetFolder, args: Arguments): Promise<{ evaluation: Evaluation; badLines: number }> {
  let badLines = 0;
  const frames = framesOf(dataset, args.skipBad ? { onBadLine: () => badLines++ } : {});
  const evaluation = await evaluateModel({ modelPath, frames, classes: dataset.classes, detector: { threads: args.threads } });
  return { evaluation, badLines };
}

function mapsOf({ overall, slices }: Evaluation): Record<string, number | null> {
  return { overall: overall.map50, ...Object.fromEntries(Object.entries(slices).map(([name, score]) => [name, score.map50])) };
}

/** A reader never sees half a report. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    console.log(USAGE);
    return EXIT.done;
  }
  let args: Arguments;
  try {
    args = readArguments(argv);
  } catch (error) {
    console.error(`${(error as { message?: string }).message}\n\n${USAGE}`);
    return EXIT.usage;
  }
  try {
    await evaluate(args);
    return EXIT.done;
  } catch (error) {
    const known = error instanceof VisionError || typeof (error as { code?: unknown }).code === 'string';
    if (!known) throw error;
    console.error((error as { message: string }).message);
    return EXIT.failed;
  }
}

process.exitCode = await main(process.argv.slice(2));

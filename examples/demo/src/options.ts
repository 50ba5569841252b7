import { usageErrorLine, wholeNumber } from '@edgeloop/cli';
import { Command } from 'commander';

export interface DemoOptions {
  readonly dataset?: string;
  readonly stream?: string;
  readonly base?: string;
  readonly nodes: number;
  readonly rounds: number;
  readonly seed: number;
  readonly keep?: string;
  readonly report?: string;
  readonly once: boolean;
  readonly chaos: boolean;
  readonly skipBad: boolean;
  readonly fps: number;
  readonly labels: number;
}

export const NODES_MAX = 50;
export const ROUNDS_MAX = 20;

export function buildOptions(): Command {
  return new Command('npm start --')
    .description(
      'One turn of the whole loop on this machine: train, package, publish, roll out, infer, watch, collect, label, train again.\nWithout options: three cameras look at a drawn worksite, night falls, and the loop mends what it broke.',
    )
    .option('--once', 'stop after the scorecard (default: keep running until Ctrl-C)', false)
    .option('--dataset <folder>', 'real photos that were labelled from the start: JPEGs, YOLO labels, classes.txt')
    .option('--stream <folder>', 'real photos that the cameras see (default: a part of --dataset, split by content)')
    .option('--base <model.onnx>', 'the first model (default: the first turn trains it)')
    .option('--nodes <n>', 'cameras', wholeNumber(1, NODES_MAX), 3)
    .option('--rounds <n>', 'turns of the loop, each after a change of the light', wholeNumber(1, ROUNDS_MAX), 1)
    .option('--seed <n>', 'of everything that is left to chance', wholeNumber(0, 2 ** 31 - 1), 7)
    .option('--labels <n>', 'samples that a drift is answered with', wholeNumber(10, 10_000), 120)
    .option('--fps <n>', 'frames a second of each camera', wholeNumber(1, 30), 2)
    .option('--chaos', 'kill every service, the bus, the store and a node once, at seeded moments', false)
    .option('--skip-bad', 'leave unreadable photos and bad label lines out, counted, instead of stopping', false)
    .option('--report <file>', 'write the scorecard as JSON')
    .option('--keep <folder>', 'leave report.json, pictures, released packages and dataset manifests there')
    .configureOutput({ outputError: (text, write) => write(`${usageErrorLine(text)} (see "npm start -- --help")\n`) });
}

#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { exportFrames } from './export-frames.ts';
import type { Light } from './worksite.ts';

const USAGE = `usage: edgeloop-worksite-export --out DIR [--frames N] [--seed S] [--light day|night|0..1] [--cameras N] [--camera-prefix WORD] [--size WxH]

Draws labelled frames of the worksite: DIR/images/*.jpg, DIR/labels/*.txt (YOLO), DIR/classes.txt.
Defaults: 200 frames, seed 1, day, 24 cameras named cam0, cam1, ..., 480x360.`;

const FRAMES_MAX = 100_000;
const EXIT_USAGE = 2;

try {
  await main();
} catch (cause) {
  process.stderr.write(`edgeloop-worksite-export: ${(cause as Error).message}\n`);
  process.exitCode = EXIT_USAGE;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      frames: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      light: { type: 'string', default: 'day' },
      cameras: { type: 'string', default: '24' },
      'camera-prefix': { type: 'string', default: 'cam' },
      size: { type: 'string', default: '480x360' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.out === undefined) {
    process.stdout.write(`${USAGE}\n`);
    if (!values.help) process.exitCode = EXIT_USAGE;
    return;
  }
  const summary = await exportFrames({
    folder: values.out,
    frames: integer('--frames', values.frames, FRAMES_MAX),
    seed: integer('--seed', values.seed, Number.MAX_SAFE_INTEGER),
    light: lightOf(values.light),
    cameras: integer('--cameras', values.cameras, FRAMES_MAX),
    cameraPrefix: values['camera-prefix'],
    size: sizeOf(values.size),
  });
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

function integer(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > most)
    throw new RangeError(`${name} must be an integer from 1 to ${most}, got "${text}"`);
  return value;
}

function lightOf(text: string): Light {
  if (text === 'day' || text === 'night') return text;
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new RangeError(`--light must be day, night or a number from 0 to 1, got "${text}"`);
  return value;
}

function sizeOf(text: string): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (!width || !height) throw new RangeError(`--size must look like 480x360, got "${text}"`);
  return { width: Number(width), height: Number(height) };
}

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout: this file lies in `libs/cli/{src,dist}/stack`. */
export const PROJECT_ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

/** Every service, in the order of the loop. They may start in any order; none needs another to be up. */
export const SERVICES = ['trainer', 'packager', 'publisher', 'rollout', 'fleet', 'evidence', 'collector', 'labeling-bridge'] as const;
export type ServiceName = (typeof SERVICES)[number];

export function serviceMain(service: ServiceName): string {
  return join(PROJECT_ROOT, 'services', service, 'dist', 'main.js');
}

export const NODE_MAIN = join(PROJECT_ROOT, 'edge-node', 'dist', 'main.js');

/** The example project that a new stack trains. */
export const EXAMPLE_PROJECT = join(PROJECT_ROOT, 'examples', 'hardhat');
export const EXAMPLE_BASE_MODEL = join(EXAMPLE_PROJECT, 'models', 'worksite-base.onnx');

/** The model that a trainer keeps which is not told otherwise (`TRAINER_MODEL_NAME`). */
export const DEFAULT_MODEL_NAME = 'hardhat';

/** Where set-up wrote which Python can train. */
export function pythonFile(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment['EDGELOOP_HOME'] ?? join(PROJECT_ROOT, '.edgeloop'), 'python.json');
}

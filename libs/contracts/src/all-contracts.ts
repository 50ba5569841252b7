import type { Contract } from './contract.ts';
import * as askFamily from './family/ask.ts';
import * as askFieldFamily from './family/ask-field.ts';
import * as collectionFamily from './family/collection.ts';
import * as deadFamily from './family/dead.ts';
import * as evidenceFamily from './family/evidence.ts';
import * as fleetFamily from './family/fleet.ts';
import * as labelingFamily from './family/labeling.ts';
import * as nodeFamily from './family/node.ts';
import * as nodeSamplesFamily from './family/node-samples.ts';
import * as releaseFamily from './family/release.ts';
import * as rolloutFamily from './family/rollout.ts';
import * as runFamily from './family/run.ts';

function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'kind' in value && 'subject' in value && 'says' in value;
}

/** Every message of the system, family by family. */
export const ALL_CONTRACTS: readonly Contract[] = [
  runFamily,
  releaseFamily,
  rolloutFamily,
  fleetFamily,
  collectionFamily,
  labelingFamily,
  evidenceFamily,
  deadFamily,
  nodeFamily,
  nodeSamplesFamily,
  askFamily,
  askFieldFamily,
]
  .flatMap((family) => Object.values(family))
  .filter(isContract);

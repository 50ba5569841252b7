import type { Contract } from './contract.ts';
import * as askFamily from './family/ask.ts';
import * as loopFamily from './family/loop.ts';
import * as nodeFamily from './family/node.ts';

function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'kind' in value && 'subject' in value && 'says' in value;
}

/** Every message of the system, in the order of declaration. */
export const ALL_CONTRACTS: readonly Contract[] = [loopFamily, nodeFamily, askFamily]
  .flatMap((family) => Object.values(family))
  .filter(isContract);

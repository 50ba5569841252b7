import { nodeUserJwt } from '@edgeloop/trust';
import type { NodesSigningKey } from '@edgeloop/trust';
import type { NodeRights } from '../ports.ts';

/** A NATS user of the NODES account, limited to the node's own subjects. */
export function jwtNodeRights(signingKey: NodesSigningKey): NodeRights {
  return { mint: (nodeId, publicKey) => nodeUserJwt({ nodeId, publicKey, signingKey }) };
}

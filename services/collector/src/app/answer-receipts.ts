import type { NodeReceipts, ReplyOf } from '@edgeloop/contracts';
import { isFinal } from '../domain/manifest-claims.ts';
import type { SampleLedger } from '../ports.ts';

type Receipts = ReplyOf<typeof NodeReceipts>;

/** What the collector has in its own ledger; what the node can mend counts as unknown, so that it sends again. */
export async function answerReceipts(ledger: SampleLedger, nodeId: string, sampleIds: readonly string[]): Promise<Receipts> {
  const answer: Receipts = { accepted: [], quarantined: [], unknown: [] };
  const receipts = await Promise.all(sampleIds.map((sampleId) => ledger.receiptOf(nodeId, sampleId)));
  for (const [index, sampleId] of sampleIds.entries()) {
    const receipt = receipts[index];
    if (receipt?.kind === 'accepted') answer.accepted.push(sampleId);
    else if (receipt?.kind === 'quarantined' && isFinal(receipt.cause))
      answer.quarantined.push({ sampleId, reason: `${receipt.cause}: ${receipt.reason}` });
    else answer.unknown.push(sampleId);
  }
  return answer;
}

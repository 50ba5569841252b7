import type { NodeReceipts, PayloadOf, ReplyOf } from '@edgeloop/contracts';
import { decideReceipt } from '../domain/receipt.ts';
import type { Campaigns, SampleLedger } from '../ports.ts';

type Question = Pick<PayloadOf<typeof NodeReceipts>, 'sampleIds' | 'closed'>;
type Answer = Required<ReplyOf<typeof NodeReceipts>>;

export interface AnswerReceiptsParts {
  readonly ledger: Pick<SampleLedger, 'receiptOf'>;
  readonly campaigns: Pick<Campaigns, 'current'>;
}

/** What the collector has in its own ledger; what the node can mend counts as unknown, so that it sends again. */
export async function answerReceipts({ ledger, campaigns }: AnswerReceiptsParts, nodeId: string, asked: Question): Promise<Answer> {
  const answer: Answer = { accepted: [], quarantined: [], unknown: [], declined: [] };
  const { sampleIds, closed = [] } = asked;
  const claims = new Map(closed.map((claim) => [claim.sampleId, claim]));
  // The book first: what is in the ledger by then cannot have been missed.
  const book = await campaigns.current();
  const known = await Promise.all(sampleIds.map((sampleId) => ledger.receiptOf(nodeId, sampleId)));
  for (const [index, sampleId] of sampleIds.entries()) {
    const receipt = decideReceipt(known[index] ?? { kind: 'unknown' }, claims.get(sampleId), book);
    if (receipt.kind === 'quarantined') answer.quarantined.push({ sampleId, reason: `${receipt.cause}: ${receipt.reason}` });
    else answer[receipt.kind].push(sampleId);
  }
  return answer;
}

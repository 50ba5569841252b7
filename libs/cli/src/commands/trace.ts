import type { Bus } from '@edgeloop/bus';
import { STREAMS } from '@edgeloop/contracts';
import type { StreamName } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { PREFIX_LENGTH_MIN, consequencesOf, idsMeant, traceOf } from '../domain/trace.ts';
import type { TracedMessage } from '../domain/trace.ts';
import { UsageError } from '../errors.ts';
import { show, table } from '../output.ts';
import { asking } from './shared.ts';
import type { CommonOptions } from './shared.ts';

/** Telemetry causes nothing by itself and is by far the largest stream. */
const LEFT_OUT: readonly StreamName[] = ['TELEMETRY', 'DEAD'];

async function readAll(bus: Bus): Promise<TracedMessage[]> {
  const messages: TracedMessage[] = [];
  for (const { name } of STREAMS.filter((stream) => !LEFT_OUT.includes(stream.name))) {
    for await (const { contract, payload, context } of bus.history(name)) {
      // A context reads its headers when asked: spreading it would leave everything behind.
      const { id, subject, causationId, correlationId, sentAt } = context;
      messages.push({ id, type: contract.type, subject, causationId, correlationId, sentAt, payload });
    }
  }
  return messages.sort((left, right) => ((left.sentAt ?? '') < (right.sentAt ?? '') ? -1 : 1));
}

/** Ids that one line names. */
const IDS_SAID_MAX = 5;

function theOneMeant(ids: readonly string[], text: string): string {
  const [only, ...others] = ids;
  if (only === undefined)
    throw new UsageError(
      `nothing in the streams is about ${text}: give the id of a release, run, rollout, sample, dataset or node, or its first ${PREFIX_LENGTH_MIN} characters or more`,
    );
  if (others.length === 0) return only;
  const said = [...ids.slice(0, IDS_SAID_MAX), ...(ids.length > IDS_SAID_MAX ? [`${ids.length - IDS_SAID_MAX} more`] : [])];
  throw new UsageError(`${text} can be ${said.join(', ')}: give more of the one that you mean`);
}

export function traceCommand(program: Command): void {
  asking(
    program
      .command('trace <id>')
      .description('what led to this: a release, run, rollout, sample, dataset, node or message id (its beginning will do)'),
  )
    .option('--forward', 'what followed from it instead')
    .action(async (id: string, options: CommonOptions & { forward?: boolean }) => {
      const messages = await withBus(options.data, readAll);
      const meant = theOneMeant(idsMeant(messages, id), id);
      const chain = options.forward ? consequencesOf(messages, meant) : traceOf(messages, meant);
      const rows = chain.map((each) => [each.sentAt ?? '-', each.type, each.subject]);
      show(options, { value: chain, text: table(['when', 'what', 'subject'], rows, '') });
    });
}

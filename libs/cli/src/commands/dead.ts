import { redrive } from '@edgeloop/bus';
import type { DeadLetter } from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { ago, show, table } from '../output.ts';
import { asking } from './shared.ts';
import type { CommonOptions } from './shared.ts';

const REDRIVE_MAX = 1000;

export function deadCommand(program: Command): void {
  const dead = asking(program.command('dead').description('messages that could not be handled, and why'));
  dead.action(async (options: CommonOptions) => {
    const letters = await withBus(options.data, async (bus) => {
      const found: PayloadOf<typeof DeadLetter>[] = [];
      for await (const { payload } of bus.history('DEAD')) found.push(payload as PayloadOf<typeof DeadLetter>);
      return found;
    });
    const rows = letters.map((each) => [each.service, each.subject, each.deliveries, each.reason.slice(0, 80), ago(each.at, Date.now())]);
    show(options, { value: letters, text: table(['service', 'subject', 'tries', 'reason', 'when'], rows, 'no dead letters') });
  });
  asking(dead.command('redrive').description('sends dead letters back to where they came from'))
    .option('--service <name>', 'only those of one service')
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions & { service?: string }>();
      const sent = await withBus(options.data, (bus) => redrive(bus, { service: options.service, limit: REDRIVE_MAX }));
      show(options, {
        value: sent,
        text: [`${sent.redriven} sent back`, ...sent.failed.map((each) => `letter ${each.sequence} could not be: ${each.reason}`)].join(
          '\n',
        ),
      });
    });
}

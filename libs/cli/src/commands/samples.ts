import { AskCampaigns, AskSamples } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { cutTo } from '../domain/words.ts';
import { ago, show, table } from '../output.ts';
import { LIMIT_MAX, asking, wholeNumber } from './shared.ts';
import type { CommonOptions } from './shared.ts';

/** The other columns take half of a screen; `--json` has the whole text. */
const WHY_WIDTH_MAX = 60;

export function samplesCommand(program: Command): void {
  const samples = asking(program.command('samples').description('frames that nodes kept and the ledger accepted')).option(
    '--limit <n>',
    'how many',
    wholeNumber(1, LIMIT_MAX),
    20,
  );
  samples.action(async (options: CommonOptions & { limit: number }) => {
    const answer = await withBus(options.data, (bus) => bus.ask(AskSamples, { limit: options.limit }));
    const rows = answer.samples.map((each) => [
      each.sampleId.slice(0, 12),
      each.nodeId,
      each.campaignId,
      each.rule,
      each.brightness.toFixed(2),
      each.releaseId ?? '-',
      ago(each.acceptedAt, Date.now()),
    ]);
    const totals = `${answer.accepted} accepted, ${answer.quarantined} in quarantine, ${answer.redelivered} redelivered`;
    show(options, {
      value: answer,
      text: `${table(['sample', 'node', 'campaign', 'kept by rule', 'brightness', 'model', 'accepted'], rows, 'no sample yet')}\n${totals}`,
    });
  });
  asking(samples.command('campaigns').description('collections, newest first')).action(async (_: unknown, command: Command) => {
    const options = command.optsWithGlobals<CommonOptions>();
    const { campaigns } = await withBus(options.data, (bus) => bus.ask(AskCampaigns, {}));
    const rows = campaigns.map((each) => [
      each.campaignId,
      each.status,
      `${each.accepted}${each.samplesTotal === null ? '' : `/${each.samplesTotal}`}`,
      ago(each.startedAt, Date.now()),
      cutTo(each.reason, WHY_WIDTH_MAX),
    ]);
    show(options, { value: campaigns, text: table(['campaign', 'status', 'samples', 'started', 'why'], rows, 'no campaign yet') });
  });
}

import { AskReleases } from '@edgeloop/contracts';
import type { Command } from 'commander';
import { withBus } from '../connection.ts';
import { ago, show, table } from '../output.ts';
import { LIMIT_MAX, asking, wholeNumber } from './shared.ts';
import type { CommonOptions } from './shared.ts';

export function releasesCommand(program: Command): void {
  asking(program.command('releases').description('published releases, newest first'))
    .option('--limit <n>', 'how many', wholeNumber(1, LIMIT_MAX), 20)
    .action(async (options: CommonOptions & { limit: number }) => {
      const { releases } = await withBus(options.data, (bus) => bus.ask(AskReleases, { limit: options.limit }));
      const rows = releases.map((each) => [
        each.releaseId,
        each.channels.join(', ') || '-',
        each.modelDigest.slice(7, 19),
        `${(each.packageBytes / 1e6).toFixed(1)} MB`,
        each.runId,
        ago(each.publishedAt, Date.now()),
      ]);
      show(options, {
        value: releases,
        text: table(
          ['release', 'channels', 'weights', 'package', 'run', 'published'],
          rows,
          'nothing is published yet: a run that passes its gate is',
        ),
      });
    });
}

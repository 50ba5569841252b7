import type { Documents } from '@edgeloop/bus';
import type { AskReleases, ChannelName, PayloadOf, ReplyOf } from '@edgeloop/contracts';
import type { Channel } from '../domain/channel.ts';
import type { Candidate, Release } from '../domain/release.ts';

type View = ReplyOf<typeof AskReleases>['releases'][number];

/** What was published, newest first. */
export class ShowReleases {
  readonly #releases: Documents<Release>;
  readonly #channels: Documents<Channel>;

  constructor(releases: Documents<Release>, channels: Documents<Channel>) {
    this.#releases = releases;
    this.#channels = channels;
  }

  async answer({ limit }: PayloadOf<typeof AskReleases>): Promise<ReplyOf<typeof AskReleases>> {
    const channels: Channel[] = [];
    for await (const { document } of this.#channels.entries()) channels.push(document.state);
    const views: View[] = [];
    for await (const { document } of this.#releases.entries()) {
      const { holder, publishedAt } = document.state;
      if (holder !== undefined && publishedAt !== undefined) views.push(viewOf(holder, publishedAt, channels));
    }
    const newestFirst = views.toSorted((left, right) => (left.publishedAt < right.publishedAt ? 1 : -1));
    return { releases: newestFirst.slice(0, limit) };
  }
}

function viewOf(holder: Candidate, publishedAt: string, channels: readonly Channel[]): View {
  const { releaseId, name, version, packageDigest, modelDigest, packageBytes, runId } = holder;
  const pointing: ChannelName[] = channels.filter((channel) => channel.releaseId === releaseId).map(({ channel }) => channel);
  return { releaseId, name, version, packageDigest, modelDigest, packageBytes, publishedAt, runId, channels: pointing };
}

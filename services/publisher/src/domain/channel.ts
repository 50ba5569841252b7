import type { ChannelName } from '@edgeloop/contracts';

/** Where a channel points. */
export interface Channel {
  readonly channel: ChannelName;
  readonly releaseId: string;
  readonly name: string;
  readonly version: string;
}

/** A channel moves to the release unless it holds a newer version of the same model. Undefined: it stays. */
export function moveChannel(present: Channel | undefined, next: Channel): Channel | undefined {
  if (present === undefined || present.name !== next.name) return next;
  return versionNumber(next.version) > versionNumber(present.version) ? next : undefined;
}

function versionNumber(version: string): number {
  return Number(version.slice(1));
}

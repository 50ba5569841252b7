import type { NodeView, RolloutRelease } from '@edgeloop/contracts';

/** What the fleet service knows of its nodes. Throws retryable errors while it is away. */
export interface Fleet {
  /** All enrolled nodes, or those named. */
  nodes(nodeIds?: readonly string[]): Promise<readonly NodeView[]>;
}

/** Facts of published releases. */
export interface ReleaseCatalog {
  find(releaseId: string): Promise<RolloutRelease | undefined>;
}

/** Random part of the ids of rollouts that people start. */
export interface IdSource {
  /** Eight lower-case hex digits. */
  next(): string;
}

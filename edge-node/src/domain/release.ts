import type { Desired } from '@edgeloop/contracts';

/** What the signed desired state says about the release to run. */
export type DesiredRelease = NonNullable<Desired['release']>;

/** A release that this node has proven, and the desired generation under which it did. */
export interface Installed {
  readonly release: DesiredRelease;
  readonly generation: number;
}

/** The same weights in the same package: whatever it is called, there is nothing to install. */
export function samePackage(a: DesiredRelease | null | undefined, b: DesiredRelease | null | undefined): boolean {
  return (a?.packageDigest ?? null) === (b?.packageDigest ?? null);
}

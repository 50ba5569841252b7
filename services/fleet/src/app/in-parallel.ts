/** Nodes worked on at once. */
export const NODES_AT_ONCE = 16;

/** Runs the work for each item, a bounded number at once; the first failure is thrown when those that run are done. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (failures.length > 0) return;
      await work(item).catch((cause: unknown) => failures.push(cause));
    }
  };
  await Promise.all(Array.from({ length: NODES_AT_ONCE }, worker));
  if (failures.length > 0) throw failures[0];
}

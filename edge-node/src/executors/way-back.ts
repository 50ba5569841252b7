import type { Executor, FlowStepInput, StepOf } from './executor.ts';
import { startModel } from './start-model.ts';

/** The proven release serves again (its process never stopped, unless it died); the other one ends. Repeating it changes nothing. */
export const rollBack: Executor<FlowStepInput> = async ({ release, proven }, tools) => {
  const home = proven?.release.packageDigest ?? null;
  await tools.slots.point(home);
  const alive = home !== null && tools.models.has(home);
  if (alive) await tools.models.switchTo(home);
  if (release.packageDigest !== home) await tools.models.stop(release.packageDigest);
  return { serving: alive ? home : null };
};

/** After a restart, or when the process of the proven release is gone. */
export const resume: Executor<StepOf<'resume'>> = async ({ release, generation }, tools, signal) => {
  await startModel(release, generation, tools, signal);
  await tools.slots.point(release.packageDigest);
  await tools.models.switchTo(release.packageDigest);
  return { serving: release.packageDigest };
};

/** Nothing is to run here. */
export const retire: Executor<StepOf<'retire'>> = async (_step, tools) => {
  await tools.slots.point(null);
  await tools.models.stopAllBut(undefined);
  return { serving: null };
};

export const tidy: Executor<StepOf<'tidy'>> = async ({ keep }, tools) => {
  const serving = tools.models.serving?.release.packageDigest;
  await tools.models.stopAllBut(serving);
  await tools.slots.tidy(keep);
  tools.probe.forgetAllBut(serving === undefined ? [] : [serving]);
  return {};
};

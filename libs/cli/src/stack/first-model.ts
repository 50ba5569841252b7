import { UsageError } from '../errors.ts';
import type { ServiceName } from './programs.ts';
import type { ServiceEnvironment } from './stack.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Settings = Readonly<Record<string, unknown>>;

/** Of the pictures that are brought in; few are needed to tell a model from none. */
const JUDGED_SHARE = 0.15;

function settingsOf(environment: Environment, variable: string): Settings {
  const text = environment[variable];
  if (!text) return {};
  try {
    return { ...(JSON.parse(text) as Settings) };
  } catch (cause) {
    throw new UsageError(`${variable} is no JSON (${(cause as Error).message}): mend or unset it`, { cause });
  }
}

/**
 * Settings of a loop that trains its first model from what is brought in. A model that was brought along may have learnt from all those
 * pictures, so by default none judges; here a part is kept apart. Its classes are the dataset's, whatever the weights it starts from know.
 * What the environment says besides is kept.
 */
export function firstModelSettings(environment: Environment): Partial<Readonly<Record<ServiceName, ServiceEnvironment>>> {
  const split = { importedHoldoutShare: JUDGED_SHARE, ...settingsOf(environment, 'LABELING_SPLIT'), importedHoldout: true };
  const parameters = settingsOf(environment, 'TRAINER_PARAMETERS');
  const train = { ...(parameters['train'] as Settings | undefined), 'replace-classes': 'true' };
  return {
    'labeling-bridge': { LABELING_SPLIT: JSON.stringify(split) },
    trainer: { TRAINER_PARAMETERS: JSON.stringify({ ...parameters, train }) },
  };
}

import { describe, expect, it } from '@jest/globals';
import { firstModelSettings } from './first-model.ts';

function read(environment: Record<string, string>): unknown[] {
  const settings = firstModelSettings(environment);
  return [settings['labeling-bridge']?.['LABELING_SPLIT'], settings.trainer?.['TRAINER_PARAMETERS']].map(
    (text) => JSON.parse(text ?? '') as unknown,
  );
}

describe('a loop that trains its first model', () => {
  it('keeps pictures apart to judge by, and learns the classes of the dataset', () => {
    expect(read({})).toEqual([{ importedHoldout: true, importedHoldoutShare: 0.15 }, { train: { 'replace-classes': 'true' } }]);
  });

  it('keeps what the environment says besides', () => {
    const environment = {
      LABELING_SPLIT: '{"importedHoldoutShare":0.3,"holdoutShare":0.2,"importedHoldout":false}',
      TRAINER_PARAMETERS: '{"train":{"epochs":2},"deploy":{"threshold":0.5}}',
    };
    expect(read(environment)).toEqual([
      { importedHoldout: true, importedHoldoutShare: 0.3, holdoutShare: 0.2 },
      { train: { epochs: 2, 'replace-classes': 'true' }, deploy: { threshold: 0.5 } },
    ]);
  });

  it('says which variable cannot be read', () => {
    expect(() => firstModelSettings({ LABELING_SPLIT: '{' })).toThrow(/^LABELING_SPLIT is no JSON .*: mend or unset it$/);
  });
});

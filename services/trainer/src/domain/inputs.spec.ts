import { describe, expect, it } from '@jest/globals';
import { effectiveParameters } from './command-line.ts';
import { inputsOf, parametersOf, passedOn } from './inputs.ts';
import type { RunContext } from './inputs.ts';
import type { PlannedExecution } from './pipeline-plan.ts';
import type { FinishedExecution } from './run.ts';
import type { Edge, InputDefinition, ParameterDefinition, StepDefinition } from './valohai.ts';

const object = (name: string) => ({ bucket: 'runs', key: name, digest: `sha256:${'a'.repeat(64)}`, bytes: 1 });
const input = (name: string, more: Partial<InputDefinition> = {}): InputDefinition => ({
  name,
  optional: false,
  keepDirectories: false,
  ...more,
});
const parameter = (name: string, more: Partial<ParameterDefinition> = {}): ParameterDefinition => ({
  name,
  type: 'string',
  optional: false,
  multiple: 'none',
  multipleSeparator: ',',
  ...more,
});
const step = (name: string, more: Partial<StepDefinition> = {}): StepDefinition => ({
  name,
  command: [name],
  inputs: [],
  parameters: [],
  environmentVariables: [],
  ...more,
});
const nothing: RunContext = { run: { dataset: null, imported: null }, incumbent: null, base: null, pictures: [] };

const edge = (sourceType: Edge['source']['type'], sourceKey: string, targetType: 'input' | 'parameter', targetKey: string): Edge => ({
  source: { node: 'train', type: sourceType, key: sourceKey },
  target: { node: 'evaluate', type: targetType, key: targetKey },
});

/** `evaluate` after a finished `train`. */
function evaluate(edges: readonly Edge[], more: Partial<StepDefinition>): PlannedExecution {
  return { node: 'evaluate', step: step('evaluate', more), incoming: edges };
}
const trained: FinishedExecution = {
  node: 'train',
  step: 'train',
  parameters: { lr: 0.01, layers: ['neck', 'head'] },
  inputs: [{ input: 'dataset', name: 'sub/dataset.tar', object: object('dataset') }],
  outputs: [{ name: 'model.onnx', object: object('model') }],
  metadata: { map: 0.5, note: null },
  seconds: 1,
};

describe('edges from an execution', () => {
  it('carry the files that its input had into another input', () => {
    const execution = evaluate([edge('input', 'dataset', 'input', 'frames')], { inputs: [input('frames')] });
    expect(inputsOf(execution, [trained], nothing)).toEqual([{ input: 'frames', name: 'dataset.tar', object: object('dataset') }]);
  });

  it('keep the folders of a file where the target says so', () => {
    const execution = evaluate([edge('input', 'dataset', 'input', 'frames')], { inputs: [input('frames', { keepDirectories: true })] });
    expect(inputsOf(execution, [trained], nothing)[0]?.name).toBe('sub/dataset.tar');
  });

  it('carry the value that its parameter had, lists too, over what is configured', () => {
    const execution = evaluate([edge('parameter', 'lr', 'parameter', 'rate'), edge('parameter', 'layers', 'parameter', 'parts')], {});
    expect(parametersOf(execution, [trained], { rate: 7, other: 1 })).toEqual({ rate: 0.01, parts: ['neck', 'head'], other: 1 });
  });

  it('carry its metadata, but nothing where it has none', () => {
    const execution = evaluate([edge('metadata', 'map', 'parameter', 'baseline'), edge('metadata', 'note', 'parameter', 'note')], {});
    expect(parametersOf(execution, [trained], { note: 'configured' })).toEqual({ baseline: 0.5, note: 'configured' });
  });

  it('leave a parameter alone that its source did not have', () => {
    expect(parametersOf(evaluate([edge('parameter', 'seed', 'parameter', 'seed')], {}), [trained], {})).toEqual({});
  });

  it('make a run remember only the inputs that are carried on', () => {
    const execution = evaluate([edge('input', 'dataset', 'input', 'frames')], { inputs: [input('frames')] });
    const files = [
      { input: 'dataset', name: 'dataset.tar', object: object('dataset') },
      { input: 'base', name: 'base.onnx', object: object('base') },
    ];
    expect(passedOn('train', [execution], files)).toEqual([files[0]]);
    expect(passedOn('evaluate', [execution], files)).toEqual([]);
  });
});

describe('the parameters of an execution', () => {
  it('are what was given, else the defaults, with flags as flags and lists as lists', () => {
    const train = step('train', {
      parameters: [
        parameter('epochs', { type: 'integer', default: 3 }),
        parameter('lr', { type: 'float', default: 0.1 }),
        parameter('fast', { type: 'flag' }),
        parameter('slow', { type: 'flag', default: true }),
        parameter('layers', { multiple: 'repeat', default: ['neck'] }),
        parameter('note', { optional: true }),
      ],
    });
    expect(effectiveParameters(train, { lr: 0.2 })).toEqual({ epochs: 3, lr: 0.2, fast: false, slow: true, layers: ['neck'] });
  });
});

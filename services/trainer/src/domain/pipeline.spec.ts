import { describe, expect, it } from '@jest/globals';
import { commandLine, passParameter, shellQuote } from './command-line.ts';
import { metadataOf } from './metadata-line.ts';
import { matchesOutput, planPipeline } from './pipeline-plan.ts';
import type { ParameterDefinition, StepDefinition, ValohaiProject } from './valohai.ts';

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
  command: [`python ${name}.py {parameters}`],
  inputs: [],
  parameters: [],
  environmentVariables: [],
  ...more,
});

describe('a command line', () => {
  it('passes every parameter in its form, quoted', () => {
    const train = step('train', {
      parameters: [
        parameter('epochs', { type: 'integer', default: 8 }),
        parameter('note', { default: "it's" }),
        parameter('fast', { type: 'flag' }),
      ],
    });
    expect(commandLine(train, { fast: true })).toBe(`set -e\npython train.py --epochs=8 '--note=it'"'"'s' --fast`);
  });

  it('leaves other braces alone and fills raw values', () => {
    const train = step('train', {
      command: ['echo {parameter-value:epochs} ${HOME} {other}'],
      parameters: [parameter('epochs', { default: 3, type: 'integer' })],
    });
    expect(commandLine(train, {})).toBe('set -e\necho 3 ${HOME} {other}');
  });

  it.each([
    ['no value and no default', parameter('epochs'), {}],
    ['is not an integer', parameter('epochs', { type: 'integer' }), { epochs: 1.5 }],
    ['is below its minimum 1', parameter('epochs', { type: 'integer', min: 1 }), { epochs: 0 }],
    ['is none of a, b', parameter('mode', { choices: ['a', 'b'] }), { mode: 'c' }],
  ])('refuses a parameter that %s', (words, definition, given) => {
    expect(() => passParameter(definition as ParameterDefinition, given as Record<string, number>)).toThrow(words as string);
  });

  it('quotes what a shell would read', () => {
    expect([shellQuote('a b'), shellQuote('$(rm)'), shellQuote('plain-1.2')]).toEqual([`'a b'`, `'$(rm)'`, 'plain-1.2']);
  });
});

describe('a pipeline plan', () => {
  const socket = (text: string) => {
    const [node, type, ...key] = text.split('.');
    return { node: node as string, type: type as 'input', key: key.join('.') };
  };
  const project = (edges: [string, string][]): ValohaiProject => ({
    steps: [
      step('a'),
      step('b', { inputs: [{ name: 'model', optional: false, keepDirectories: false }] }),
      step('c', { inputs: [{ name: 'model', optional: false, keepDirectories: false }] }),
    ],
    pipelines: [
      {
        name: 'p',
        nodes: [
          { name: 'c', step: 'c' },
          { name: 'b', step: 'b' },
          { name: 'a', step: 'a' },
        ],
        edges: edges.map(([source, target]) => ({ source: socket(source), target: socket(target) })),
      },
    ],
  });

  it('orders executions by their edges', () => {
    const plan = planPipeline(
      project([
        ['a.output.x', 'b.input.model'],
        ['b.output.y', 'c.input.model'],
      ]),
      'p',
    );
    expect(plan.map((execution) => execution.node)).toEqual(['a', 'b', 'c']);
  });

  it('refuses a circle, a missing node and a missing input', () => {
    expect(() =>
      planPipeline(
        project([
          ['c.output.x', 'b.input.model'],
          ['b.output.y', 'c.input.model'],
        ]),
        'p',
      ),
    ).toThrow('circle');
    expect(() => planPipeline(project([['z.output.x', 'b.input.model']]), 'p')).toThrow('there is no node z');
    expect(() => planPipeline(project([['a.output.x', 'b.input.weights']]), 'p')).toThrow('step b has no input weights');
    expect(() => planPipeline(project([]), 'q')).toThrow('it has p');
  });

  it.each([
    ['b.input.weights', 'c.input.model', 'step b has no input weights; it has model'],
    ['b.parameter.lr', 'c.parameter.lr', 'step b has no parameter lr; it has none'],
    ['b.input.model', 'c.parameter.lr', 'from input to parameter is not run here: only metadata or parameter fills a parameter'],
    ['b.metadata.map', 'c.input.model', 'from metadata to input is not run here: only output or input fills an input'],
    ['b.output.x', 'c.output.x', 'must end in an input or a parameter'],
  ])('refuses an edge %s -> %s', (source, target, words) => {
    expect(() => planPipeline(project([[source, target]]), 'p')).toThrow(words);
  });

  it('takes an edge between inputs, and orders by it', () => {
    expect(planPipeline(project([['b.input.model', 'c.input.model']]), 'p').map(({ node }) => node)).toEqual(['b', 'c', 'a']);
  });

  it('matches outputs by name and by star', () => {
    expect([
      matchesOutput('best*.onnx', 'best-3.onnx'),
      matchesOutput('best*.onnx', 'bestxonnx'),
      matchesOutput('*', 'images/a.jpg'),
    ]).toEqual([true, false, true]);
  });
});

describe('a metadata line', () => {
  it.each([
    ['{"epoch": 3, "loss": 0.5}', { epoch: 3, loss: 0.5 }],
    ['  {"ok": true, "note": null, "deep": {"x": 1}} ', { ok: true, note: null }],
    ['epoch 3 {"loss": 1}', undefined],
    ['[1,2]', undefined],
    ['{broken}', undefined],
  ])('%s', (line, expected) => expect(metadataOf(line)).toEqual(expected));
});

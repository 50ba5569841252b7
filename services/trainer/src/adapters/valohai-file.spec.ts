import { describe, expect, it } from '@jest/globals';
import { parseValohaiYaml } from './valohai-file.ts';

const STEP = `- step:
    name: train
    image: python:3.11
    command: python train.py {parameters}
`;

const PIPELINE = `- pipeline:
    name: p
    nodes: [{ name: a, type: execution, step: train }, { name: b, type: execution, step: train }]
`;

describe('a valohai.yaml', () => {
  it('is read in its own words', () => {
    const project = parseValohaiYaml(
      `${STEP}    time-limit: 1h 30m
    inputs: [{ name: data, keep-directories: true }]
    parameters: [{ name: epochs, type: integer, default: 3 }]
- pipeline:
    name: p
    nodes: [{ name: a, type: execution, step: train }, { name: b, type: execution, step: train }]
    edges: [[a.output.model*.onnx, b.input.data], { source: a.metadata.map, target: b.parameter.epochs }]
`,
      'valohai.yaml',
    );
    expect(project.steps[0]).toMatchObject({
      name: 'train',
      command: ['python train.py {parameters}'],
      timeLimitSeconds: 5400,
      inputs: [{ name: 'data', keepDirectories: true, optional: false }],
    });
    expect(project.pipelines[0]?.edges[0]).toEqual({
      source: { node: 'a', type: 'output', key: 'model*.onnx' },
      target: { node: 'b', type: 'input', key: 'data' },
    });
  });

  it('may say nothing with keys that are not implemented', () => {
    const text = `${STEP}    mounts: []\n    inputs: [{ name: data, default: [], keep-directories: full }]\n`;
    expect(parseValohaiYaml(text, 'valohai.yaml').steps[0]?.inputs).toMatchObject([{ name: 'data', keepDirectories: true }]);
  });

  it.each([
    ['an unknown key, with its line', `${STEP}    imagge: x\n`, /valohai\.yaml:2: step: .*imagge/],
    ['YAML that is none, with its line', '- step:\n  name: [x', /valohai\.yaml:\d/],
    ['a map instead of a list', 'step: x', /must be a list/],
    ['a step without a command', '- step:\n    name: x\n    image: y\n', /step\.command/],
    ['a kind that is not run here', '- endpoint:\n    name: x\n', /expected "step:" or "pipeline:"/],
    [
      'a node that is not run here',
      `${STEP}- pipeline:\n    name: p\n    nodes: [{ name: a, type: task, step: train }]\n    edges: []\n`,
      /valohai\.yaml:7: .*only nodes of type execution/,
    ],
    [
      'an edge that ends nowhere',
      `${STEP}- pipeline:\n    name: p\n    nodes: [{ name: a, type: execution, step: train }]\n    edges: [[a.output.x, a]]\n`,
      /a is no socket/,
    ],
    [
      'an edge between kinds that are not joined, with its line',
      `${STEP}    inputs: [{ name: data }]\n${PIPELINE}    edges:\n      - [a.output.x, b.input.data]\n      - [a.metadata.map, b.input.data]\n`,
      /valohai\.yaml:11: .*from metadata to input is not run here/,
    ],
    [
      'an edge from an input that the step does not have, with its line',
      `${PIPELINE}    edges:\n      - [a.input.frames, b.input.data]\n${STEP}    inputs: [{ name: data }]\n`,
      /valohai\.yaml:5: edge a\.input\.frames -> b\.input\.data: step train has no input frames; it has data/,
    ],
    [
      'an edge to a parameter that the step does not have, with its line',
      `${STEP}${PIPELINE}    edges:\n      - [a.metadata.map, b.parameter.epochs]\n`,
      /valohai\.yaml:9: .*step train has no parameter epochs; it has none/,
    ],
    [
      'a node of a step that is not there, with its line',
      `${STEP}- pipeline:\n    name: p\n    nodes:\n      - { name: a, type: execution, step: trian }\n    edges: []\n`,
      /valohai\.yaml:8: node a: there is no step trian/,
    ],
    [
      'a default that would have to be fetched, with its line',
      `${STEP}    inputs:\n      - name: data\n        default: s3://bucket/data.tar\n`,
      /valohai\.yaml:7: step\.inputs\.0\.default: a default is not fetched here: bring the file by an edge/,
    ],
    [
      'directories kept in part, with their line',
      `${STEP}    inputs:\n      - name: data\n        keep-directories: suffix\n`,
      /valohai\.yaml:7: .*keep-directories is none, full, true or false here/,
    ],
    ['a stop condition, with its line', `${STEP}    stop-condition: loss < 0.1\n`, /valohai\.yaml:5: .*give it a time-limit/],
    ['a source path, with its line', `${STEP}    source-path: src\n`, /valohai\.yaml:5: .*folder of valohai\.yaml/],
    ['mounts, with their line', `${STEP}    mounts: ['/a:/b']\n`, /valohai\.yaml:5: .*bring files as inputs/],
    ['groups of variables, with their line', `${STEP}    environment-variable-groups: [x]\n`, /valohai\.yaml:5: .*name the variables/],
    [
      'executions that are used again, with their line',
      `${STEP}${PIPELINE}    edges: []\n    reuse-executions: true\n`,
      /valohai\.yaml:9: .*leave it out/,
    ],
    [
      'a node of another commit, with its line',
      `${STEP}- pipeline:\n    name: p\n    nodes:\n      - { name: a, type: execution, step: train, commit: abc }\n    edges: []\n`,
      /valohai\.yaml:8: .*leave commit out/,
    ],
    ['a time that is none', `${STEP}    time-limit: soon\n`, /1h 30m/],
  ])('refuses %s', (_, text, words) => {
    expect(() => parseValohaiYaml(text, 'valohai.yaml')).toThrow(words);
  });
});

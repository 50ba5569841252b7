import { describe, expect, it } from '@jest/globals';
import { writeOnnx } from '@edgeloop/testkit';
import { classNamesOf, inspectOnnx } from '@edgeloop/vision';
import { withClassNames } from './class-names.ts';

const SILENT = writeOnnx({
  graph: {
    nodes: [{ op: 'Identity', inputs: ['images'], outputs: ['output0'] }],
    inputs: [{ name: 'images', dims: [1, 3, 32, 32] }],
    outputs: [{ name: 'output0', dims: [1, 3, 32, 32] }],
  },
});

describe('a model that does not name its classes', () => {
  it.each([
    ['two', ['red', 'blue']],
    ['with quotes and other letters', ["worker's hat", 'say "hi"', 'шлем']],
    ['eighty', Array.from({ length: 80 }, (_, index) => `class number ${index}`)],
  ])('is given its names (%s), and nothing else changes', (_, classes) => {
    const before = inspectOnnx(SILENT);
    const named = inspectOnnx(withClassNames(SILENT, classes));
    expect(classNamesOf(before.metadata)).toBeUndefined();
    expect(classNamesOf(named.metadata)).toEqual(classes);
    expect({ ...named, metadata: {} }).toEqual(before);
  });
});

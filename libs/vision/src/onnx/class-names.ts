import { ModelShapeError, PythonLiteralError } from '../errors.ts';
import { parsePythonLiteral } from './python-literal.ts';
import type { PythonValue } from './python-literal.ts';

/**
 * Class names of the metadata property `names`: a list, or a dict from 0..n-1. Undefined where the model carries none
 * (exports before YOLOv5 v6.2).
 * @throws ModelShapeError where the property is there but unusable
 */
export function classNamesOf(metadata: Readonly<Record<string, string>>): readonly string[] | undefined {
  const literal = metadata['names'];
  if (literal === undefined) return undefined;
  const names = listed(parsed(literal));
  if (names.length === 0 || !names.every((name) => typeof name === 'string' && name.length > 0)) {
    throw new ModelShapeError(`metadata 'names' must list class names, got ${literal.slice(0, 80)}`);
  }
  return names as string[];
}

function parsed(literal: string): PythonValue {
  try {
    return parsePythonLiteral(literal);
  } catch (cause) {
    if (cause instanceof PythonLiteralError) throw new ModelShapeError(`metadata 'names' is ${cause.message}`, { cause });
    throw cause;
  }
}

function listed(value: PythonValue): readonly PythonValue[] {
  if (value instanceof Map) {
    const entries = [...(value as Map<string | number, PythonValue>)].toSorted((a, b) => Number(a[0]) - Number(b[0]));
    if (entries.some(([key], index) => Number(key) !== index))
      throw new ModelShapeError("metadata 'names' must number the classes from 0 without gaps");
    return entries.map(([, name]) => name);
  }
  if (Array.isArray(value)) return value;
  throw new ModelShapeError("metadata 'names' is neither a list nor a dict");
}

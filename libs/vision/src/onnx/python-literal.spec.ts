import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ModelShapeError, PythonLiteralError } from '../errors.ts';
import { classNamesOf } from './class-names.ts';
import { LITERAL_CHARS_MAX, LITERAL_DEPTH_MAX, parsePythonLiteral } from './python-literal.ts';

describe('parsePythonLiteral', () => {
  it.each<[string, unknown]>([
    ["['a', 'b']", ['a', 'b']],
    [
      "{0: 'a', 1: 'b'}",
      new Map([
        [0, 'a'],
        [1, 'b'],
      ]),
    ],
    [`{0: "driver's cab"}`, new Map([[0, "driver's cab"]])],
    [String.raw`'say \'hi\' \\ \x41 é 🛑 \n'`, "say 'hi' \\ A é 🛑 \n"],
    ['(1, -2.5, 1e3, True, False, None,)', [1, -2.5, 1000, true, false, null]],
    ['[]', []],
    ['{}', new Map()],
    [' [ 640 ,640 ] ', [640, 640]],
    ["{'a': [1, {2: 'x'}]}", new Map([['a', [1, new Map([[2, 'x']])]]])],
  ])('reads %s', (text, value) => expect(parsePythonLiteral(text)).toEqual(value));

  it.each([
    '',
    '[',
    "['a'",
    "['a' 'b']",
    "'a",
    "{0 'a'}",
    "{[1]: 'a'}",
    '__import__("os").system("true")',
    '[1] + [2]',
    '1 2',
    String.raw`'\x4'`,
    String.raw`'\U00110000'`,
    String.raw`'\q'`,
    'nan',
    '0x10',
    '['.repeat(LITERAL_DEPTH_MAX + 2),
    `'${'a'.repeat(LITERAL_CHARS_MAX)}'`,
  ])('refuses %.40s', (text) => expect(() => parsePythonLiteral(text)).toThrow(PythonLiteralError));

  it('reads back what Python writes for any name', () => {
    // Python's repr of text: single quotes, or double quotes where the text holds single ones only.
    const repr = (text: string) => {
      const escaped = text
        .replaceAll('\\', '\\\\')
        .replaceAll('\n', String.raw`\n`)
        .replaceAll('\r', String.raw`\r`)
        .replaceAll('\t', String.raw`\t`);
      return text.includes("'") && !text.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", String.raw`\'`)}'`;
    };
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (names) => {
        expect(parsePythonLiteral(`{${names.map((name, i) => `${i}: ${repr(name)}`).join(', ')}}`)).toEqual(new Map(names.entries()));
      }),
    );
  });

  it('answers any text with a value or a typed error', () => {
    const pieces = fc.array(fc.constantFrom('[', ']', '{', '}', '(', ')', ':', ',', "'", '"', '\\', '0', '-', '.', 'True', 'a', ' '), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          parsePythonLiteral(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(PythonLiteralError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('classNamesOf', () => {
  it.each<[string | undefined, readonly string[] | undefined]>([
    [undefined, undefined],
    ["['helmet', 'head']", ['helmet', 'head']],
    ["{1: 'head', 0: 'helmet'}", ['helmet', 'head']],
    ["{'0': 'helmet', '1': 'head'}", ['helmet', 'head']],
  ])('%s', (names, expected) => expect(classNamesOf(names === undefined ? {} : { names })).toEqual(expected));

  it.each(["{0: 'a', 2: 'b'}", '[]', '{}', "['']", '[1, 2]', "'helmet'", '640', '['])('refuses %s', (names) => {
    expect(() => classNamesOf({ names })).toThrow(ModelShapeError);
  });
});

import { PythonLiteralError } from '../errors.ts';

/** Longest text read: a thousand class names of a hundred characters. */
export const LITERAL_CHARS_MAX = 200_000;

/** Lists and dicts inside one another. */
export const LITERAL_DEPTH_MAX = 8;

export type PythonValue = string | number | boolean | null | readonly PythonValue[] | ReadonlyMap<string | number, PythonValue>;

/**
 * Reads what Python's `str()` makes of lists, tuples, dicts, strings, numbers, `True`, `False` and `None`: the exporters
 * write class names so. Neither JSON nor code.
 * @throws PythonLiteralError
 */
export function parsePythonLiteral(text: string): PythonValue {
  if (text.length > LITERAL_CHARS_MAX) throw new PythonLiteralError(`${text.length} characters, at most ${LITERAL_CHARS_MAX}`, 0);
  const reader = new LiteralReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };
const HEX_ESCAPES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const CONSTANTS = new Map<string, PythonValue>([
  ['True', true],
  ['False', false],
  ['None', null],
]);

class LiteralReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): PythonValue {
    if (depth > LITERAL_DEPTH_MAX) throw this.#error(`nested deeper than ${LITERAL_DEPTH_MAX}`);
    const next = this.#peek();
    if (next === "'" || next === '"') return this.#string();
    if (next === '[') return this.#sequence('[', ']', depth);
    if (next === '(') return this.#sequence('(', ')', depth);
    if (next === '{') return this.#dict(depth);
    return this.#word();
  }

  end(): void {
    if (this.#peek() !== '') throw this.#error('text after the value');
  }

  #sequence(open: string, close: string, depth: number): PythonValue[] {
    const items: PythonValue[] = [];
    this.#expect(open);
    while (this.#peek() !== close) {
      items.push(this.value(depth + 1));
      if (this.#peek() !== close) this.#expect(',');
    }
    this.#expect(close);
    return items;
  }

  #dict(depth: number): Map<string | number, PythonValue> {
    const entries = new Map<string | number, PythonValue>();
    this.#expect('{');
    while (this.#peek() !== '}') {
      const key = this.value(depth + 1);
      if (typeof key !== 'string' && typeof key !== 'number') throw this.#error('a key that is neither text nor number');
      this.#expect(':');
      entries.set(key, this.value(depth + 1));
      if (this.#peek() !== '}') this.#expect(',');
    }
    this.#expect('}');
    return entries;
  }

  #string(): string {
    const quote = this.#text[this.#at++]!;
    let out = '';
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined) throw this.#error('text without closing quote');
      if (char === quote) return out;
      out += char === '\\' ? this.#escape() : char;
    }
  }

  #escape(): string {
    const char = this.#text[this.#at++] ?? '';
    const plain = ESCAPES[char];
    if (plain !== undefined) return plain;
    const digits = HEX_ESCAPES[char];
    if (digits === undefined) throw this.#error(`unknown escape '\\${char}'`);
    const hex = this.#text.slice(this.#at, this.#at + digits);
    const code = Number.parseInt(hex, 16);
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== digits || code > 0x10ffff) throw this.#error('bad code point');
    this.#at += digits;
    return String.fromCodePoint(code);
  }

  #word(): PythonValue {
    const word = /^[A-Za-z0-9_.+-]+/.exec(this.#text.slice(this.#at, this.#at + 64))?.[0] ?? '';
    const constant = CONSTANTS.get(word);
    if (constant === undefined && !/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(word)) throw this.#error('expected a value');
    this.#at += word.length;
    return constant === undefined ? Number(word) : constant;
  }

  /** The next character that is no white space; empty at the end. */
  #peek(): string {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#text[this.#at] ?? '';
  }

  #expect(char: string): void {
    if (this.#peek() !== char) throw this.#error(`expected '${char}'`);
    this.#at++;
  }

  #error(reason: string): PythonLiteralError {
    return new PythonLiteralError(reason, this.#at);
  }
}

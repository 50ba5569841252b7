import type { z } from 'zod';

/**
 * True only when the schema accepts the value and would give back an equal one: nothing to strip, to fill in or to transform.
 * False says nothing; ask the schema itself.
 */
export type ExactFit = (value: unknown) => boolean;

/** What is read of a zod schema's definition; https://zod.dev/packages/core documents it for libraries. */
interface Definition {
  readonly type?: string;
  readonly check?: string;
  readonly format?: string;
  readonly pattern?: RegExp;
  readonly checks?: readonly z.core.$ZodCheck[];
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly catchall?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly keyType?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly discriminator?: string;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly value?: number;
  readonly inclusive?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly length?: number;
}

/**
 * Compiles a schema to plain checks, several times as fast as parsing by it: most messages fit exactly, and the receiver of a stream
 * would spend more on validation than on all else. Whatever is not understood here never fits, and so goes the long way; the same
 * where the process forbids code from strings.
 */
export function exactFit(schema: z.core.$ZodType): ExactFit {
  try {
    const source = new Source();
    const condition = source.condition(schema, 'value');
    return source.compile(condition);
  } catch (cause) {
    if (cause instanceof NotUnderstood || cause instanceof EvalError) return () => false;
    throw cause;
  }
}

class NotUnderstood extends Error {}

const PRIMITIVES = new Set(['null', 'string', 'number', 'boolean', 'literal', 'enum']);
/** Formats that are nothing but their pattern. */
const PATTERN_FORMATS = new Set(['regex', 'datetime', 'date', 'time', 'uuid', 'email']);

/** JavaScript that grows: conditions over a variable, functions where a condition needs statements, constants that have no literal. */
class Source {
  readonly #functions: string[] = [];
  readonly #patterns: RegExp[] = [];

  compile(condition: string): ExactFit {
    const code = `${this.#functions.join('\n')}\nreturn (value) => ${condition};`;
    // Only definitions of schemas get in here, each text and number through JSON.stringify.
    // eslint-disable-next-line typescript/no-implied-eval, no-new-func
    return (new Function('patterns', code) as (patterns: readonly RegExp[]) => ExactFit)(this.#patterns);
  }

  condition(schema: z.core.$ZodType, name: string): string {
    const definition = schema._zod.def as Definition;
    const own = definition.check === undefined ? [] : [definition];
    const checks = [...own, ...(definition.checks ?? []).map((check) => check._zod.def as Definition)];
    return `(${[this.#type(definition, name), ...checks.map((check) => this.#check(check, name))].join(' && ')})`;
  }

  #type(definition: Definition, name: string): string {
    switch (definition.type) {
      case 'string':
      case 'boolean':
        return `typeof ${name} === '${definition.type}'`;
      case 'number':
        return `Number.isFinite(${name})`;
      case 'null':
        return `${name} === null`;
      case 'unknown':
        return 'true';
      case 'literal':
        return oneOf(definition.values ?? [], name);
      case 'enum':
        return oneOf(Object.values(definition.entries ?? {}), name);
      case 'nullable':
        return `(${name} === null || ${this.condition(known(definition.innerType), name)})`;
      case 'default':
      case 'optional':
        return this.condition(known(definition.innerType), name);
      case 'array':
        return this.#function(name, this.#array(known(definition.element)));
      case 'object':
        return this.#function(name, this.#object(definition));
      case 'record':
        return this.#function(name, this.#record(known(definition.keyType), known(definition.valueType)));
      case 'union':
        return this.#union(definition, name);
      default:
        throw new NotUnderstood();
    }
  }

  #check(check: Definition, name: string): string {
    switch (check.check) {
      case 'greater_than':
        return `${name} ${check.inclusive === true ? '>=' : '>'} ${number(check.value)}`;
      case 'less_than':
        return `${name} ${check.inclusive === true ? '<=' : '<'} ${number(check.value)}`;
      case 'number_format':
        if (check.format !== 'safeint') throw new NotUnderstood();
        return `Number.isSafeInteger(${name})`;
      case 'min_length':
        return `${name}.length >= ${number(check.minimum)}`;
      case 'max_length':
        return `${name}.length <= ${number(check.maximum)}`;
      case 'length_equals':
        return `${name}.length === ${number(check.length)}`;
      case 'string_format':
        return this.#pattern(check, name);
      default:
        throw new NotUnderstood();
    }
  }

  #pattern({ format = '', pattern }: Definition, name: string): string {
    if (!PATTERN_FORMATS.has(format) || pattern === undefined || pattern.global || pattern.sticky) throw new NotUnderstood();
    return `patterns[${this.#patterns.push(pattern) - 1}].test(${name})`;
  }

  #function(name: string, body: string): string {
    const called = `fits${this.#functions.length}`;
    this.#functions.push(`function ${called}(value) { ${body} }`);
    return `${called}(${name})`;
  }

  #array(element: z.core.$ZodType): string {
    const each = this.condition(element, 'item');
    return `if (!Array.isArray(value)) return false; for (let at = 0; at < value.length; at++) { const item = value[at]; if (!${each}) return false; } return true;`;
  }

  /** As many keys as fields that are there: then there is none that the schema would drop. */
  #object(definition: Definition): string {
    if (definition.shape === undefined || definition.catchall !== undefined) throw new NotUnderstood();
    const fields = Object.entries(definition.shape).map(([key, schema]) => {
      const fits = this.condition(schema, 'field');
      const missing = (schema._zod.def as Definition).type === 'optional' ? '' : 'return false;';
      return `field = value[${JSON.stringify(key)}]; if (field === undefined) { ${missing} } else { if (!${fits}) return false; present++; }`;
    });
    const begin = `if (typeof value !== 'object' || value === null || Array.isArray(value)) return false; let field; let present = 0;`;
    return `${begin} ${fields.join(' ')} return Object.keys(value).length === present;`;
  }

  #record(key: z.core.$ZodType, item: z.core.$ZodType): string {
    // A record over an enum must have all of its keys.
    if ((key._zod.def as Definition).type !== 'string') throw new NotUnderstood();
    const begin = `if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;`;
    const each = `if (key === '__proto__' || !${this.condition(key, 'key')}) return false; const item = value[key]; if (!${this.condition(item, 'item')}) return false;`;
    return `${begin} for (const key of Object.keys(value)) { ${each} } return true;`;
  }

  /** Zod takes the first option that accepts, and may strip: two objects could both accept, so only tagged ones are told apart here. */
  #union(definition: Definition, name: string): string {
    const options = definition.options ?? [];
    const composed = options.filter((option) => !PRIMITIVES.has((option._zod.def as Definition).type ?? ''));
    if (definition.discriminator === undefined && composed.length > 1) throw new NotUnderstood();
    return `(${options.map((option) => this.condition(option, name)).join(' || ')})`;
  }
}

function known(schema: z.core.$ZodType | undefined): z.core.$ZodType {
  if (schema === undefined) throw new NotUnderstood();
  return schema;
}

function number(bound: unknown): string {
  if (typeof bound !== 'number' || !Number.isFinite(bound)) throw new NotUnderstood();
  return JSON.stringify(bound);
}

function oneOf(values: readonly unknown[], name: string): string {
  if (values.length === 0) throw new NotUnderstood();
  return `(${values.map((value) => `${name} === ${literal(value)}`).join(' || ')})`;
}

function literal(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  return number(value);
}

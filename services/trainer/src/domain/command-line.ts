import { InvalidProjectError } from './valohai.ts';
import type { ParameterDefinition, ParameterSetting, ParameterValue, StepDefinition } from './valohai.ts';

export type ParameterValues = Readonly<Record<string, ParameterSetting | undefined>>;

/** POSIX single-quote quoting; plain words stay as they are. */
export function shellQuote(value: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'"'"'`)}'`;
}

function checkRange(parameter: ParameterDefinition, value: ParameterValue): void {
  const place = `parameter ${parameter.name}`;
  if (parameter.type === 'integer' && !Number.isInteger(value)) throw new InvalidProjectError(place, `${String(value)} is not an integer`);
  if (parameter.type === 'float' && (typeof value !== 'number' || !Number.isFinite(value)))
    throw new InvalidProjectError(place, `${String(value)} is not a number`);
  if (typeof value === 'number' && parameter.min !== undefined && value < parameter.min)
    throw new InvalidProjectError(place, `${value} is below its minimum ${parameter.min}`);
  if (typeof value === 'number' && parameter.max !== undefined && value > parameter.max)
    throw new InvalidProjectError(place, `${value} is above its maximum ${parameter.max}`);
  if (parameter.choices && !parameter.choices.includes(value))
    throw new InvalidProjectError(place, `${String(value)} is none of ${parameter.choices.join(', ')}`);
}

function valuesOf(parameter: ParameterDefinition, given: ParameterValues): readonly ParameterValue[] {
  const value = given[parameter.name] ?? parameter.default;
  const list = value === undefined ? [] : Array.isArray(value) ? (value as readonly ParameterValue[]) : [value as ParameterValue];
  if (list.length === 0 && !parameter.optional && parameter.type !== 'flag')
    throw new InvalidProjectError(`parameter ${parameter.name}`, 'has no value and no default');
  for (const one of list) checkRange(parameter, one);
  return list;
}

function passFlag(parameter: ParameterDefinition, value: boolean): readonly string[] {
  if (value) return [parameter.passTrueAs ?? parameter.passAs ?? `--${parameter.name}`];
  return parameter.passFalseAs === undefined ? [] : [parameter.passFalseAs];
}

function isSet(values: readonly ParameterValue[]): boolean {
  return values[0] === true || values[0] === 'true';
}

/** The value that each declared parameter has for one execution: what was given, else its default; none for an absent optional one. */
export function effectiveParameters(step: StepDefinition, given: ParameterValues): Readonly<Record<string, ParameterSetting>> {
  const settings = step.parameters.flatMap((parameter): [string, ParameterSetting][] => {
    const values = valuesOf(parameter, given);
    if (parameter.type === 'flag') return [[parameter.name, isSet(values)]];
    const [only] = values;
    if (only === undefined) return [];
    return [[parameter.name, parameter.multiple === 'none' && values.length === 1 ? only : values]];
  });
  return Object.fromEntries(settings);
}

/** One parameter in its pass-as form, shell-quoted; nothing for an absent optional one. */
export function passParameter(parameter: ParameterDefinition, given: ParameterValues): string {
  const values = valuesOf(parameter, given);
  if (parameter.type === 'flag') return passFlag(parameter, isSet(values)).join(' ');
  if (values.length === 0) return '';
  const passAs = parameter.passAs ?? '--{name}={value}';
  const passOne = (value: string): string =>
    shellQuote(passAs.replaceAll('{name}', parameter.name).replaceAll('{value}', value).replaceAll('{v}', value));
  if (parameter.multiple === 'repeat') return values.map((value) => passOne(String(value))).join(' ');
  return passOne(values.map(String).join(parameter.multipleSeparator));
}

function rawValue(parameter: ParameterDefinition, given: ParameterValues): string {
  return shellQuote(valuesOf(parameter, given).map(String).join(parameter.multipleSeparator));
}

/**
 * Fills `{parameters}`, `{parameter:NAME}` and `{parameter-value:NAME}`; any other brace expression stays as it is.
 * Lines are joined with newlines under `set -e`, so the first that fails ends the step.
 */
export function commandLine(step: StepDefinition, given: ParameterValues): string {
  const parameterNamed = (name: string): ParameterDefinition => {
    const found = step.parameters.find((parameter) => parameter.name === name);
    if (!found) throw new InvalidProjectError(`step ${step.name}`, `its command names the parameter ${name}, which it does not declare`);
    return found;
  };
  const all = (): string =>
    step.parameters
      .map((parameter) => passParameter(parameter, given))
      .filter(Boolean)
      .join(' ');
  const fill = (line: string): string =>
    line
      .replaceAll(/\{(?:parameters|params)\}/g, all)
      .replaceAll(/\{parameter:([^}]+)\}/g, (_, name: string) => passParameter(parameterNamed(name), given))
      .replaceAll(/\{parameter-value:([^}]+)\}/g, (_, name: string) => rawValue(parameterNamed(name), given));
  return ['set -e', ...step.command.map(fill).filter((line) => line.trim() !== '')].join('\n');
}

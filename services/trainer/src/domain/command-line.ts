import { InvalidProjectError } from './valohai.ts';
import type { ParameterDefinition, ParameterValue, StepDefinition } from './valohai.ts';

export type ParameterValues = Readonly<Record<string, ParameterValue | readonly ParameterValue[] | undefined>>;

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

/** One parameter in its pass-as form, shell-quoted; nothing for an absent optional one. */
export function passParameter(parameter: ParameterDefinition, given: ParameterValues): string {
  const values = valuesOf(parameter, given);
  if (parameter.type === 'flag') return passFlag(parameter, values[0] === true || values[0] === 'true').join(' ');
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

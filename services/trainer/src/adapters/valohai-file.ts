import { readFile } from 'node:fs/promises';
import { LineCounter, isSeq, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import { edgeProblem, pairProblem, socketText } from '../domain/edge.ts';
import { InvalidProjectError } from '../domain/valohai.ts';
import type { Edge, PipelineDefinition, Socket, SocketType, StepDefinition, ValohaiProject } from '../domain/valohai.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => (Array.isArray(value) ? value : [value]));

const UNIT_SECONDS = { h: 3600, m: 60, s: 1 } as const;
/** Seconds as an integer, or `1h 30m 5s`. */
const duration = z
  .union([z.int().positive(), z.string().regex(/^\s*(\d+\s*[hms]\s*)+$/, 'expected seconds or a duration such as "1h 30m"')])
  .transform((value) => {
    if (typeof value === 'number') return value;
    return [...value.matchAll(/(\d+)\s*([hms])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * UNIT_SECONDS[unit as 'h' | 'm' | 's'],
      0,
    );
  });

/** A key of Valohai's that would change what a step does and is not implemented: refused rather than passed over. Empty lists say nothing. */
function refused(words: string): z.ZodType<undefined, unknown> {
  return z
    .unknown()
    .refine((value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0), words)
    .transform(() => undefined)
    .optional();
}

/** `valohai-yaml` 0.57, the schema's own rule: an unknown key is an error. */
const Input = z
  .strictObject({
    name: z.string().max(64),
    // What a default names would have to be fetched from where it points; an input that silently stays without it is another input.
    default: refused(
      'a default is not fetched here: bring the file by an edge, or give the input a name that the trainer fills (snapshot, samples, base, incumbent, model)',
    ),
    description: z.string().optional(),
    download: z.enum(['always', 'on-demand']).optional(),
    filename: z.string().optional(),
    'keep-directories': z
      .union([z.boolean(), z.enum(['none', 'full'])], { error: 'keep-directories is none, full, true or false here' })
      .optional(),
    optional: z.boolean().default(false),
  })
  .transform((input) => ({
    name: input.name,
    optional: input.optional,
    filename: input.filename,
    keepDirectories: ![undefined, false, 'none'].includes(input['keep-directories']),
  }));

const Parameter = z
  .strictObject({
    name: z.string(),
    type: z.enum(['flag', 'float', 'integer', 'string']).default('string'),
    default: z.union([scalar, z.array(scalar)]).optional(),
    min: z.number().optional(),
    max: z.number().optional(),
    choices: z.array(scalar).optional(),
    optional: z.boolean().default(false),
    'pass-as': z.string().optional(),
    'pass-true-as': z.string().optional(),
    'pass-false-as': z.string().optional(),
    multiple: z.enum(['none', 'repeat', 'separate']).default('none'),
    'multiple-separator': z.string().default(','),
    category: z.string().optional(),
    widget: z.unknown().optional(),
    description: z.string().optional(),
  })
  .transform(
    ({
      'pass-as': passAs,
      'pass-true-as': passTrueAs,
      'pass-false-as': passFalseAs,
      'multiple-separator': multipleSeparator,
      ...rest
    }) => ({
      ...rest,
      passAs,
      passTrueAs,
      passFalseAs,
      multipleSeparator,
    }),
  );

const EnvironmentVariable = z.strictObject({
  name: z.string(),
  default: z.string().optional(),
  description: z.string().optional(),
  optional: z.boolean().default(true),
});

const Step = z
  .strictObject({
    name: z.string(),
    image: z.string(),
    command: oneOrMore,
    category: z.string().optional(),
    description: z.string().optional(),
    environment: z.string().optional(),
    icon: z.string().optional(),
    'source-path': refused('source-path is not used here: commands run in the folder of valohai.yaml'),
    'stop-condition': refused('stop-condition is not watched here: let the step end by itself, or give it a time-limit'),
    'runtime-config-preset': z.string().optional(),
    inputs: z.array(Input).default([]),
    parameters: z.array(Parameter).default([]),
    'environment-variables': z.array(EnvironmentVariable).default([]),
    outputs: z.array(z.strictObject({ name: z.string(), description: z.string().optional() })).optional(),
    mounts: refused('mounts are not made here: bring files as inputs'),
    'environment-variable-groups': refused('environment-variable-groups are not known here: name the variables in environment-variables'),
    'cache-volumes': z.array(z.string()).optional(),
    'no-output-timeout': duration.optional(),
    'time-limit': duration.optional(),
    'upload-store': z.string().max(64).optional(),
    resources: z.record(z.string(), z.unknown()).optional(),
  })
  .transform((step): StepDefinition => ({
    name: step.name,
    command: step.command,
    inputs: step.inputs,
    parameters: step.parameters,
    environmentVariables: step['environment-variables'],
    timeLimitSeconds: step['time-limit'],
    noOutputTimeoutSeconds: step['no-output-timeout'],
  }));

const SOCKET_TYPES: readonly string[] = ['input', 'output', 'parameter', 'metadata'] satisfies SocketType[];

function socket(text: string, context: z.RefinementCtx): Socket {
  const [node, type, ...key] = text.split('.');
  if (!node || !type || key.length === 0) context.addIssue({ code: 'custom', message: `${text} is no socket: expected node.type.key` });
  else if (!SOCKET_TYPES.includes(type))
    context.addIssue({ code: 'custom', message: `sockets of type ${type} are not run here: use ${SOCKET_TYPES.join(', ')}` });
  return { node: node ?? '', type: type as SocketType, key: key.join('.') };
}

const EdgeText = z
  .union([
    z.tuple([z.string(), z.string()]).transform(([source, target]) => ({ source, target })),
    z.strictObject({ source: z.string(), target: z.string(), configuration: refused('an edge is not configured here') }),
  ])
  .transform(({ source, target }, context): Edge => {
    const edge = { source: socket(source, context), target: socket(target, context) };
    const known = SOCKET_TYPES.includes(edge.source.type) && SOCKET_TYPES.includes(edge.target.type);
    const problem = known ? pairProblem(edge) : undefined;
    if (problem) context.addIssue({ code: 'custom', message: problem });
    return edge;
  });

const ExecutionNode = z.strictObject({
  name: z.string(),
  type: z.literal('execution', { error: 'only nodes of type execution are run here' }),
  step: z.string(),
  commit: refused('every node runs the project folder as it is: leave commit out'),
  'on-error': z.enum(['stop-all'], { error: 'only on-error: stop-all is run here' }).optional(),
});

const Pipeline = z
  .strictObject({
    name: z.string(),
    nodes: z.array(ExecutionNode).min(1),
    edges: z.array(EdgeText),
    'reuse-executions': z.literal(false, { error: 'reuse-executions is not done here: leave it out' }).optional(),
  })
  .transform((pipeline): PipelineDefinition => ({
    name: pipeline.name,
    nodes: pipeline.nodes.map(({ name, step }) => ({ name, step })),
    edges: pipeline.edges,
  }));

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length) as unknown[], true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** Parses and checks a project file; every error names its line. */
export function parseValohaiYaml(text: string, file: string): ValohaiProject {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken) throw new InvalidProjectError(`${file}:${broken.linePos?.[0].line ?? 1}`, broken.message.split('\n')[0] ?? 'not YAML');
  if (!isSeq(document.contents)) throw new InvalidProjectError(file, 'must be a list of steps and pipelines ("- step:" …)');
  const at = (path: readonly PropertyKey[]): string => `${file}:${lineOf(document, lines, path)}`;
  const project: { steps: StepDefinition[]; pipelines: PipelineDefinition[] } = { steps: [], pipelines: [] };
  const places: number[] = [];
  for (const [index, item] of (document.toJS() as unknown[]).entries()) {
    const read = <S extends z.ZodType>(key: string, schema: S): z.output<S> => readItem(schema, item, { key, index, at });
    if (has(item, 'pipeline')) {
      project.pipelines.push(read('pipeline', Pipeline));
      places.push(index);
    } else if (has(item, 'step')) project.steps.push(read('step', Step));
    else throw new InvalidProjectError(at([index]), 'expected "step:" or "pipeline:"');
  }
  for (const [place, pipeline] of project.pipelines.entries())
    checkPipeline(project, pipeline, (path) => at([places[place] as number, 'pipeline', ...path]));
  return project;
}

/** Nodes name steps, and edges sockets, that the file may declare further down: checked when all of it is read. */
function checkPipeline(project: ValohaiProject, pipeline: PipelineDefinition, at: (path: readonly PropertyKey[]) => string): void {
  const stepOf = (name: string | undefined): StepDefinition | undefined => project.steps.find((step) => step.name === name);
  for (const [index, node] of pipeline.nodes.entries())
    if (!stepOf(node.step)) throw new InvalidProjectError(at(['nodes', index]), `node ${node.name}: there is no step ${node.step}`);
  for (const [index, edge] of pipeline.edges.entries()) {
    const problem = edgeProblem(edge, (name) => stepOf(pipeline.nodes.find((node) => node.name === name)?.step));
    if (problem)
      throw new InvalidProjectError(at(['edges', index]), `edge ${socketText(edge.source)} -> ${socketText(edge.target)}: ${problem}`);
  }
}

function has(item: unknown, key: string): boolean {
  return typeof item === 'object' && item !== null && key in item;
}

interface Place {
  readonly key: string;
  readonly index: number;
  readonly at: (path: readonly PropertyKey[]) => string;
}

function readItem<S extends z.ZodType>(schema: S, item: unknown, { key, index, at }: Place): z.output<S> {
  const parsed = schema.safeParse((item as Record<string, unknown>)[key]);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = [key, ...(issue?.path ?? [])];
  throw new InvalidProjectError(at([index, ...path]), `${path.join('.')}: ${issue?.message ?? 'invalid'}`);
}

export async function readValohaiYaml(file: string): Promise<ValohaiProject> {
  const text = await readFile(file, 'utf8').catch((cause: { code?: string }) => {
    throw new InvalidProjectError(
      file,
      cause.code === 'ENOENT'
        ? 'does not exist: set TRAINER_PROJECT to the folder that holds valohai.yaml'
        : `cannot be read (${cause.code ?? 'unknown'})`,
    );
  });
  return parseValohaiYaml(text, file);
}

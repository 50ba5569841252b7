import type { Edge, Socket, SocketType, StepDefinition } from './valohai.ts';

/** What may be carried to an input, and what to a parameter; nothing else is. */
export const SOURCES_OF = {
  input: ['output', 'input'],
  parameter: ['metadata', 'parameter'],
} as const satisfies Readonly<Record<'input' | 'parameter', readonly SocketType[]>>;

export function socketText({ node, type, key }: Socket): string {
  return `${node}.${type}.${key}`;
}

/** What is wrong with the kinds that an edge joins; undefined: nothing. */
export function pairProblem({ source, target }: Edge): string | undefined {
  if (target.type !== 'input' && target.type !== 'parameter')
    return `an edge must end in an input or a parameter, not in ${socketText(target)}`;
  const sources: readonly SocketType[] = SOURCES_OF[target.type];
  if (sources.includes(source.type)) return undefined;
  return `an edge from ${source.type} to ${target.type} is not run here: only ${sources.join(' or ')} fills ${target.type === 'input' ? 'an input' : 'a parameter'}`;
}

/** Outputs and metadata come to be while a step runs; inputs and parameters must be declared. */
function socketProblem({ type, key }: Socket, step: StepDefinition): string | undefined {
  if (type !== 'input' && type !== 'parameter') return undefined;
  const declared = type === 'input' ? step.inputs : step.parameters;
  if (declared.some((each) => each.name === key)) return undefined;
  return `step ${step.name} has no ${type} ${key}; it has ${declared.map((each) => each.name).join(', ') || 'none'}`;
}

/** What is wrong with an edge; undefined: nothing. `stepOf` gives the step that a node runs. */
export function edgeProblem(edge: Edge, stepOf: (node: string) => StepDefinition | undefined): string | undefined {
  const [source, target] = [stepOf(edge.source.node), stepOf(edge.target.node)];
  if (!source) return `there is no node ${edge.source.node}`;
  if (!target) return `there is no node ${edge.target.node}`;
  return pairProblem(edge) ?? socketProblem(edge.source, source) ?? socketProblem(edge.target, target);
}

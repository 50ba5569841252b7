import { edgeProblem, socketText } from './edge.ts';
import { InvalidProjectError } from './valohai.ts';
import type { Edge, PipelineDefinition, StepDefinition, ValohaiProject } from './valohai.ts';

/** One execution of a pipeline, in the order in which it can run. */
export interface PlannedExecution {
  readonly node: string;
  readonly step: StepDefinition;
  /** Edges that end in this execution. */
  readonly incoming: readonly Edge[];
}

export function stepNamed(project: ValohaiProject, name: string): StepDefinition {
  const step = project.steps.find((candidate) => candidate.name === name);
  if (!step)
    throw new InvalidProjectError(
      `step ${name}`,
      `is not in the project; it has ${project.steps.map((each) => each.name).join(', ') || 'no step'}`,
    );
  return step;
}

export function pipelineNamed(project: ValohaiProject, name: string): PipelineDefinition {
  const pipeline = project.pipelines.find((candidate) => candidate.name === name);
  if (!pipeline)
    throw new InvalidProjectError(
      `pipeline ${name}`,
      `is not in the project; it has ${project.pipelines.map((each) => each.name).join(', ') || 'no pipeline'}`,
    );
  return pipeline;
}

/** Nodes in topological order (ties in the order of the file); refuses unknown steps, dangling edges and circles. */
export function planPipeline(project: ValohaiProject, name: string): readonly PlannedExecution[] {
  const pipeline = pipelineNamed(project, name);
  const executions = new Map<string, PlannedExecution>();
  for (const node of pipeline.nodes) {
    if (executions.has(node.name)) throw new InvalidProjectError(`pipeline ${name}`, `two nodes are named ${node.name}`);
    executions.set(node.name, {
      node: node.name,
      step: stepNamed(project, node.step),
      incoming: pipeline.edges.filter((edge) => edge.target.node === node.name),
    });
  }
  for (const edge of pipeline.edges) {
    const problem = edgeProblem(edge, (node) => executions.get(node)?.step);
    if (problem) throw new InvalidProjectError(`pipeline ${name}, edge to ${socketText(edge.target)}`, problem);
  }
  const ordered: PlannedExecution[] = [];
  const waiting = [...executions.values()];
  while (waiting.length > 0) {
    const index = waiting.findIndex((execution) =>
      execution.incoming.every((edge) => ordered.some((done) => done.node === edge.source.node)),
    );
    if (index < 0)
      throw new InvalidProjectError(
        `pipeline ${name}`,
        `its edges run in a circle through ${waiting.map((execution) => execution.node).join(', ')}`,
      );
    ordered.push(...waiting.splice(index, 1));
  }
  return ordered;
}

/** Whether an output file name matches an edge's output key, which may hold `*`. */
export function matchesOutput(key: string, file: string): boolean {
  const pattern = key.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${pattern}$`).test(file);
}

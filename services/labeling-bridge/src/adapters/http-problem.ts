import type { TaskProblem } from '../app/label-tasks.ts';

/** What a client is told: a code for programs, and what to do for people. */
export interface HttpProblem {
  readonly status: number;
  readonly code: string;
  readonly say: string;
}

export function problemOf(problem: TaskProblem): HttpProblem {
  switch (problem.why) {
    case 'unknown-task':
      return { status: 404, code: problem.why, say: 'there is no such task: list the open ones with GET /v1/tasks?status=open' };
    case 'already-answered':
      return { status: 409, code: problem.why, say: `${problem.by} has answered this task, and answers are final: claim another one` };
    case 'claimed-by-other':
      return {
        status: 409,
        code: problem.why,
        say: `${problem.by} works on this task until ${new Date(problem.untilMs).toISOString()}: claim another one, or try again then`,
      };
    case 'not-claimed':
      return { status: 409, code: problem.why, say: 'claim the task first, with POST /v1/tasks/<id>/claim {"annotator": "<you>"}' };
    case 'no-classes':
      return { status: 409, code: problem.why, say: 'nobody has said which classes there are: import a dataset, or set LABELING_CLASSES' };
    case 'bad-box':
      return { status: 400, code: problem.why, say: problem.say };
    default:
      return problem satisfies never;
  }
}

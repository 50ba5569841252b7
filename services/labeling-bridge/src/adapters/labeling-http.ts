import { createHash, timingSafeEqual } from 'node:crypto';
import { isoOf, type Logger } from '@edgeloop/runtime';
import { ObjectStoreError, readVerified, type ObjectStore } from '@edgeloop/store';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { KeepDataset } from '../app/keep-dataset.ts';
import type { LabelTasks, TaskResult } from '../app/label-tasks.ts';
import { statusOf, type Task } from '../domain/task.ts';
import type { LabelingDriver } from '../ports.ts';
import { problemOf, type HttpProblem } from './http-problem.ts';
import { AnswerBody, ClaimBody, DatasetsQuery, ListQuery, problemsOf, SkipBody, TaskParams } from './http-schemas.ts';

export interface LabelingHttpOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** Undefined: everybody who reaches the port may label. */
  readonly token: string | undefined;
  readonly tasks: LabelTasks;
  readonly dataset: KeepDataset;
  readonly store: ObjectStore;
  readonly log: Logger;
}

const BODY_BYTES_MAX = 256 * 1024;
/** Connections that idle keep a stopping service waiting. */
const KEEP_ALIVE_MS = 5_000;

class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly problem: HttpProblem;
  constructor(problem: HttpProblem) {
    super(problem.say);
    this.problem = problem;
  }
}

/** The built-in labeling: list, claim, picture, answer, skip, over HTTP. */
export class LabelingHttp implements LabelingDriver {
  readonly #options: LabelingHttpOptions;
  readonly #server: FastifyInstance;

  constructor(options: LabelingHttpOptions) {
    this.#options = options;
    this.#server = fastify({ bodyLimit: BODY_BYTES_MAX, keepAliveTimeout: KEEP_ALIVE_MS, forceCloseConnections: true });
    this.#server.setErrorHandler((failure, request, reply) => this.#fail(failure, request, reply));
    this.#server.setNotFoundHandler((_request, reply) =>
      refuse(reply, { status: 404, code: 'not-found', say: 'see docs/labeling-api.md for what there is' }),
    );
    this.#server.addHook('onRequest', async (request) => this.#admit(request));
    this.#addRoutes();
  }

  async start(): Promise<{ url: string }> {
    const { host, port } = this.#options;
    return { url: await this.#server.listen({ host, port }) };
  }

  async stop(): Promise<void> {
    await this.#server.close();
  }

  #addRoutes(): void {
    const { tasks, dataset } = this.#options;
    const server = this.#server;
    server.get('/healthz', () => ({ status: 'ok' }));
    server.get('/v1/tasks', async ({ query }) => {
      const { status, limit } = read(ListQuery, query);
      const [found, classes] = await Promise.all([tasks.list(status, limit), tasks.classes()]);
      return { classes, tasks: found.map((task) => viewOf(task, tasks.now())) };
    });
    server.get('/v1/tasks/:id', async ({ params }) => {
      const task = await tasks.find(read(TaskParams, params).id);
      return this.#answered(task === undefined ? { ok: false, problem: { why: 'unknown-task' } } : { ok: true, task });
    });
    server.post('/v1/tasks/:id/claim', async ({ params, body }) => {
      const { annotator } = read(ClaimBody, body);
      return this.#answered(await tasks.claim(read(TaskParams, params).id, annotator));
    });
    server.post('/v1/tasks/:id/answer', async ({ params, body }) => {
      const { annotator, boxes } = read(AnswerBody, body);
      return this.#answered(await tasks.answer(read(TaskParams, params).id, annotator, boxes));
    });
    server.post('/v1/tasks/:id/skip', async ({ params, body }) => {
      const { annotator } = read(SkipBody, body);
      return this.#answered(await tasks.skip(read(TaskParams, params).id, annotator));
    });
    server.get('/v1/tasks/:id/picture', ({ params }, reply) => this.#picture(read(TaskParams, params).id, reply));
    server.get('/v1/datasets', ({ query }) => dataset.show(read(DatasetsQuery, query).limit));
  }

  #answered(result: TaskResult): object {
    if (!result.ok) throw new HttpRefusal(problemOf(result.problem));
    return { task: viewOf(result.task, this.#options.tasks.now()) };
  }

  /** The exact bytes of the sample, or nothing: what is labelled is what is trained on. */
  async #picture(taskId: string, reply: FastifyReply): Promise<FastifyReply> {
    const picture = await this.#options.tasks.pictureOf(taskId);
    if (picture === undefined) throw new HttpRefusal(problemOf({ why: 'unknown-task' }));
    const bytes = await this.#read(picture);
    const type = bytes[0] === 0x89 ? 'image/png' : 'image/jpeg';
    return reply.type(type).header('etag', `"${picture.digest}"`).header('cache-control', 'private, immutable').send(Buffer.from(bytes));
  }

  async #read(picture: Parameters<typeof readVerified>[1]): Promise<Uint8Array> {
    try {
      return await readVerified(this.#options.store, picture);
    } catch (failure) {
      if (!(failure instanceof ObjectStoreError) || failure.retryable) throw failure;
      this.#options.log.error({ err: failure }, 'the picture of a task is gone or was changed');
      throw new HttpRefusal({ status: 410, code: 'picture-gone', say: 'the picture is no longer what was accepted: skip this task' });
    }
  }

  async #admit(request: FastifyRequest): Promise<void> {
    const { token } = this.#options;
    if (token === undefined || request.url === '/healthz') return;
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!timingSafeEqual(hash(given), hash(token))) {
      throw new HttpRefusal({ status: 401, code: 'no-token', say: 'send the header "Authorization: Bearer <LABELING_API_TOKEN>"' });
    }
  }

  #fail(failure: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (failure instanceof HttpRefusal) return refuse(reply, failure.problem);
    const { statusCode, message, retryable } = failure as { statusCode?: number; message?: string; retryable?: boolean };
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      return refuse(reply, { status: statusCode, code: 'bad-request', say: message ?? 'the request cannot be read' });
    }
    this.#options.log.error({ err: failure, method: request.method, url: request.url }, 'a labeling request failed');
    if (retryable === true)
      return refuse(reply, {
        status: 503,
        code: 'try-again',
        say: 'the bus or the store is away: send the same request again in a moment',
      });
    return refuse(reply, { status: 500, code: 'failed', say: 'this should not have happened; the log of the labeling bridge says why' });
  }
}

function read<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw new HttpRefusal({ status: 400, code: 'invalid', say: problemsOf(parsed.error) });
}

function refuse(reply: FastifyReply, { status, code, say }: HttpProblem): FastifyReply {
  return reply.status(status).send({ error: { code, say } });
}

function viewOf(task: Task, nowMs: number): object {
  const { taskId, nodeId, sampleId, campaignId, width, height, preLabels, claim, answer, picture } = task;
  const status = statusOf(task, nowMs);
  return {
    taskId,
    nodeId,
    sampleId,
    campaignId,
    status,
    width,
    height,
    capturedAt: isoOf(task.capturedAtMs),
    preLabels,
    picture: { url: `/v1/tasks/${taskId}/picture`, digest: picture.digest, bytes: picture.bytes },
    claimedBy: status === 'claimed' ? (claim?.annotator ?? null) : null,
    claimedUntil: status === 'claimed' && claim !== null ? isoOf(claim.untilMs) : null,
    answer: answer === null ? null : { annotator: answer.annotator, boxes: answer.boxes, labelDigest: answer.labelDigest },
  };
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

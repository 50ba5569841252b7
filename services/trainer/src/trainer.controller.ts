import type { MessageContext } from '@edgeloop/bus';
import { AskCancelRun, AskRuns, AskStartRun, DatasetSnapshotted, ReleasePublished, RolloutEnded } from '@edgeloop/contracts';
import type { PayloadOf, ReplyOf } from '@edgeloop/contracts';
import { OnEvent, OnRequest } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import { Trainer } from './app/trainer.ts';

@Controller()
export class TrainerController {
  readonly #trainer: Trainer;

  constructor(@Inject(Trainer) trainer: Trainer) {
    this.#trainer = trainer;
  }

  @OnEvent(DatasetSnapshotted)
  onSnapshot(snapshot: PayloadOf<typeof DatasetSnapshotted>, context: MessageContext): Promise<void> {
    return this.#trainer.onSnapshot(snapshot, context);
  }

  @OnEvent(ReleasePublished)
  onRelease(release: PayloadOf<typeof ReleasePublished>, context: MessageContext): Promise<void> {
    return this.#trainer.onRelease(release, context);
  }

  @OnEvent(RolloutEnded)
  onRolloutEnded(rollout: PayloadOf<typeof RolloutEnded>, context: MessageContext): Promise<void> {
    return this.#trainer.onRolloutEnded(rollout, context);
  }

  @OnRequest(AskStartRun)
  start(asked: PayloadOf<typeof AskStartRun>, context: MessageContext): Promise<ReplyOf<typeof AskStartRun>> {
    return this.#trainer.start(asked, context);
  }

  @OnRequest(AskCancelRun)
  async cancel({ runId }: PayloadOf<typeof AskCancelRun>, context: MessageContext): Promise<ReplyOf<typeof AskCancelRun>> {
    return { cancelled: await this.#trainer.cancel(runId, context) };
  }

  @OnRequest(AskRuns)
  async runs({ limit }: PayloadOf<typeof AskRuns>): Promise<ReplyOf<typeof AskRuns>> {
    return { runs: await this.#trainer.runs(limit) };
  }
}

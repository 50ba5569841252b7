import type { MessageContext } from '@edgeloop/bus';
import type { PayloadOf, SampleAccepted } from '@edgeloop/contracts';
import { sha256Hex } from '@edgeloop/store';
import type { Tasks } from '../ports.ts';

const TASK_ID_DIGITS = 32;

/** The same sample is always the same task. */
export function taskIdOf(nodeId: string, sampleId: string): string {
  return sha256Hex(`${nodeId}/${sampleId}`).slice(0, TASK_ID_DIGITS);
}

/** An accepted sample becomes a task with what the model thought of it. */
export async function takeSample(tasks: Tasks, accepted: PayloadOf<typeof SampleAccepted>, context: MessageContext): Promise<void> {
  const { nodeId, sampleId, manifest } = accepted;
  const { campaignId, object, picture, capturedAt, predictions } = manifest;
  await tasks.create(
    {
      taskId: taskIdOf(nodeId, sampleId),
      nodeId,
      sampleId,
      campaignId,
      picture: object,
      width: picture.width,
      height: picture.height,
      brightness: picture.brightness,
      dhash: picture.dhash,
      capturedAtMs: Date.parse(capturedAt),
      preLabels: predictions,
      claim: null,
      answer: null,
    },
    context,
  );
}

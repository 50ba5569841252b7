import { readFile } from 'node:fs/promises';
import { credsAuthenticator, connect } from '@nats-io/transport-node';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

/** What any agent needs: the runtime, a bus connection, a picture decoder, the model. Frames per second as the agent's. */
const FRAME_EVERY_MS = 200;
const FRAMES_BEFORE_READY = 30;

const [url = '', credsPath = '', modelPath = '', picturePath = ''] = process.argv.slice(2);
sharp.cache(false);
sharp.concurrency(1);
const connection = await connect({ servers: url, authenticator: credsAuthenticator(await readFile(credsPath)) });
const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1 });
const picture = await readFile(picturePath);
const input = session.inputNames[0] as string;
const side = 160;
const tensor = new Tensor('float32', new Float32Array(3 * side * side), [1, 3, side, side]);
for (let frame = 0; ; frame += 1) {
  await sharp(picture).resize(side, side).raw().toBuffer();
  await session.run({ [input]: tensor });
  connection.publish('bench.reference', new Uint8Array(512));
  if (frame === FRAMES_BEFORE_READY) process.stdout.write('ready\n');
  await new Promise((resolve) => setTimeout(resolve, FRAME_EVERY_MS));
}

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { testEngines, type TestEngines } from '@edgeloop/testkit';
import { connect } from '@nats-io/transport-node';
let t: TestEngines;
beforeAll(async () => {
  t = await testEngines({ store: true });
});
afterAll(async () => {
  await t.stop();
});
it('works', async () => {
  const core = await connect(await t.coreConnectionOptions());
  const node = await connect(await t.nodeConnectionOptions('n1'));
  core.subscribe('node.v1.*.sync', {
    callback: (_e, m) => {
      m.respond('hi');
    },
  });
  await core.flush();
  expect((await node.request('node.v1.n1.sync', '')).string()).toBe('hi');
  await node.close();
  await core.close();
});

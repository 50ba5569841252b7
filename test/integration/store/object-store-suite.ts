import { describe, expect, it } from '@jest/globals';
import {
  AlreadyExistsWithOtherBytesError,
  DigestMismatchError,
  digestOf,
  ObjectNotFoundError,
  ObjectTooLargeError,
  readVerified,
  type ObjectInfo,
  type ObjectStore,
} from '@edgeloop/store';

let suites = 0;

/** What every object store does, whoever keeps the bytes. */
export function objectStoreSuite(name: string, storeOf: () => ObjectStore): void {
  const folder = `suite-${suites++}`;
  const at = (key: string) => ({ bucket: 'datasets', key: `${folder}/${key}` });
  const bytes = (text: string): Uint8Array => Buffer.from(text);

  describe(`an object store: ${name}`, () => {
    it('gives back what was put, with its digest', async () => {
      const ref = await storeOf().put(at('put'), bytes('hello'));
      expect(ref).toEqual({ ...at('put'), digest: digestOf('hello'), bytes: 5 });
      expect(Buffer.from(await storeOf().read(ref)).toString()).toBe('hello');
      expect(Buffer.from(await readVerified(storeOf(), ref)).toString()).toBe('hello');
      expect(await storeOf().head(ref)).toMatchObject({ bytes: 5 });
    });

    it('keeps empty objects', async () => {
      const ref = await storeOf().put(at('empty'), bytes(''));
      expect((await storeOf().read(ref)).length).toBe(0);
    });

    it('takes the same bytes again and never other bytes', async () => {
      const first = await storeOf().put(at('once'), bytes('one'));
      expect(await storeOf().put(at('once'), bytes('one'))).toEqual(first);
      await expect(storeOf().put(at('once'), bytes('two'))).rejects.toMatchObject({
        name: AlreadyExistsWithOtherBytesError.name,
        stored: digestOf('one'),
        offered: digestOf('two'),
      });
      expect(Buffer.from(await storeOf().read(at('once'))).toString()).toBe('one');
    });

    it('lets exactly one of many writers of different bytes win', async () => {
      const writers = Array.from({ length: 12 }, (_, index) => storeOf().put(at('race'), bytes(`writer ${index}`)));
      const outcomes = await Promise.allSettled(writers);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('replaces only where it is asked to', async () => {
      await storeOf().put(at('moving'), bytes('old'));
      await storeOf().put(at('moving'), bytes('new'), { mode: 'replace' });
      expect(Buffer.from(await storeOf().read(at('moving'))).toString()).toBe('new');
    });

    it('refuses bytes that are not what the caller says', async () => {
      const wrong = storeOf().put(at('claimed'), bytes('x'), { digest: digestOf('y') });
      await expect(wrong).rejects.toMatchObject({ name: DigestMismatchError.name });
      expect(await storeOf().head(at('claimed'))).toBeUndefined();
    });

    it('says which object is not there', async () => {
      await expect(storeOf().read(at('missing'))).rejects.toMatchObject({ name: ObjectNotFoundError.name, ...at('missing') });
      await expect(storeOf().open(at('missing'))).rejects.toMatchObject({ name: ObjectNotFoundError.name });
      expect(await storeOf().head(at('missing'))).toBeUndefined();
    });

    it('reads exactly up to the cap and no byte more', async () => {
      await storeOf().put(at('ten'), bytes('0123456789'));
      expect((await storeOf().read(at('ten'), { bytesMax: 10 })).length).toBe(10);
      await expect(storeOf().read(at('ten'), { bytesMax: 9 })).rejects.toMatchObject({ name: ObjectTooLargeError.name, bytesMax: 9 });
      await expect(storeOf().open(at('ten'), { bytesMax: 9 })).rejects.toMatchObject({ name: ObjectTooLargeError.name });
    });

    it('streams', async () => {
      const big = Buffer.alloc(300_000, 7);
      await storeOf().put(at('big'), big);
      const opened = await storeOf().open(at('big'));
      const chunks: Buffer[] = [];
      for await (const chunk of opened.body) chunks.push(chunk as Buffer);
      expect(opened.bytes).toBe(big.length);
      expect(Buffer.concat(chunks).equals(big)).toBe(true);
    });

    it('notices that an object is not the one referred to', async () => {
      const ref = await storeOf().put(at('swapped'), bytes('good'));
      await storeOf().put(at('swapped'), bytes('evil'), { mode: 'replace' });
      await expect(readVerified(storeOf(), ref)).rejects.toMatchObject({ name: DigestMismatchError.name });
    });

    it('lists by prefix, in order, and only what is below it', async () => {
      for (const key of ['list/b', 'list/a', 'list/c/d', 'listless']) await storeOf().put(at(key), bytes(key));
      const found: ObjectInfo[] = [];
      for await (const info of storeOf().list('datasets', `${folder}/list/`)) found.push(info);
      expect(found.map(({ key }) => key)).toEqual(['list/a', 'list/b', 'list/c/d'].map((key) => `${folder}/${key}`));
      expect(found[0]).toMatchObject({ bytes: 6, bucket: 'datasets' });
    });

    it('deletes, twice if need be', async () => {
      await storeOf().put(at('gone'), bytes('x'));
      await storeOf().delete(at('gone'));
      await storeOf().delete(at('gone'));
      expect(await storeOf().head(at('gone'))).toBeUndefined();
    });

    it('makes links that read the object', async () => {
      const ref = await storeOf().put(at('linked'), bytes('through a link'));
      const answer = await fetch(await storeOf().presignGet(ref, 60));
      expect(await answer.text()).toBe('through a link');
    });
  });
}

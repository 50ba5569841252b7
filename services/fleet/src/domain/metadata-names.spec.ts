import { expect, it } from '@jest/globals';
import { currentMetadata } from './metadata-names.ts';

it('names every root, the timestamp and the newest of the others by number, not by letter', () => {
  const names = [
    'metadata/1.root.json',
    'metadata/2.root.json',
    ...[1, 2, 9, 10, 11].flatMap((version) => [`metadata/${version}.snapshot.json`, `metadata/${version}.targets.json`]),
    'metadata/timestamp.json',
    'metadata/notes.txt',
    'metadata/../1.root.json',
  ];
  expect(currentMetadata(names).toSorted()).toEqual(
    [
      'metadata/1.root.json',
      'metadata/2.root.json',
      'metadata/timestamp.json',
      ...[9, 10, 11].flatMap((version) => [`metadata/${version}.snapshot.json`, `metadata/${version}.targets.json`]),
    ].toSorted(),
  );
});

it('an empty repository has nothing to name', () => {
  expect(currentMetadata([])).toEqual([]);
});

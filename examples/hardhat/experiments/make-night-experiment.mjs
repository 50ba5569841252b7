// Builds the data of the night experiment from a folder of labelled photos; see README.md beside this file.
//
//   node make-night-experiment.mjs --data DIR --out DIR [--known 300] [--seed 1]
//
// OUT/first/dataset   the known photos, to train a first model on (inputs of steps/train.py)
// OUT/turn/dataset    what a turn of the loop would hand to training: labelled stream frames, known photos as replay
// OUT/score/{day,night}  stream photos that were never collected, by day and by night
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { nightOf } from '@edgeloop/vision';

// Of the stream, as the loop collects it: some frames by day, most of its samples by night; a quarter is held out.
const COLLECTED_BY_DAY = 0.2;
const COLLECTED_BY_NIGHT = 0.6;
const HOLDOUT = 0.25;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    known: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
  },
});
if (!values.data || !values.out) throw new Error('--data and --out are needed');

const hash = (text) => createHash('sha256').update(`split${values.seed}${text}`).digest('hex');
const names = (await readdir(join(values.data, 'images'))).filter((file) => file.endsWith('.jpg')).map((file) => basename(file, '.jpg'));
names.sort((a, b) => (hash(a) < hash(b) ? -1 : 1));
const known = names.slice(0, Number(values.known));
const stream = names.slice(known.length);
const night = stream.slice(0, Math.round(stream.length * COLLECTED_BY_NIGHT));
const day = stream.slice(0, Math.round(stream.length * COLLECTED_BY_DAY));
const unseen = stream.slice(night.length);

async function put(folder, name, dark) {
  await Promise.all(['images', 'labels'].map((part) => mkdir(join(folder, part), { recursive: true })));
  const target = dark ? `${name}-night` : name;
  const picture = await readFile(join(values.data, 'images', `${name}.jpg`));
  await writeFile(join(folder, 'images', `${target}.jpg`), dark ? await nightOf(picture, parseInt(hash(name).slice(0, 8), 16)) : picture);
  await copyFile(join(values.data, 'labels', `${name}.txt`), join(folder, 'labels', `${target}.txt`));
  return target;
}

async function putAll(folder, list, dark = false) {
  const put1 = [];
  for (const name of list) put1.push(await put(folder, name, dark));
  await copyFile(join(values.data, 'classes.txt'), join(folder, 'classes.txt'));
  return put1;
}

async function lists(folder, split, nightNames) {
  await writeFile(join(folder, 'split.json'), JSON.stringify(split));
  const all = Object.values(split).flat();
  await writeFile(
    join(folder, 'slices.json'),
    JSON.stringify(Object.fromEntries(all.map((name) => [`${name}.jpg`, nightNames.includes(name) ? 'night' : 'day']))),
  );
}

const first = join(values.out, 'first', 'dataset');
await lists(first, { train: await putAll(first, known), replay: [], holdout: await putAll(first, unseen) }, []);

const turn = join(values.out, 'turn', 'dataset');
const cut = (list) => Math.round(list.length * (1 - HOLDOUT));
const dark = await putAll(turn, night, true);
const light = await putAll(turn, day);
const replay = await putAll(turn, known);
await lists(
  turn,
  {
    train: [...dark.slice(0, cut(dark)), ...light.slice(0, cut(light))],
    replay,
    holdout: [...dark.slice(cut(dark)), ...light.slice(cut(light))],
  },
  dark,
);

await putAll(join(values.out, 'score', 'day'), unseen);
await putAll(join(values.out, 'score', 'night'), unseen, true);
console.log(JSON.stringify({ known: known.length, labelledNight: dark.length, labelledDay: light.length, scored: unseen.length }));

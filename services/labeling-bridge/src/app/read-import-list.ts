import { CLASSES_MAX, ClassName, ImportedItem } from '@edgeloop/contracts';
import { z } from 'zod';
import { findBoxProblem } from '../domain/label.ts';

export type ImportedPicture = z.output<typeof ImportedItem>;

export interface ImportList {
  readonly classes: readonly string[];
  readonly items: readonly ImportedPicture[];
}

/** Why a list is not taken, in words that name the item and say what to do. */
export interface ImportProblem {
  readonly code: 'unreadable-list' | 'no-classes' | 'no-items' | 'bad-item' | 'class-out-of-range' | 'classes-differ' | 'contradiction';
  readonly say: string;
}

export type ImportReading = { readonly ok: true; readonly list: ImportList } | { readonly ok: false; readonly problem: ImportProblem };

const Outline = z.object({ classes: z.array(ClassName).max(CLASSES_MAX), items: z.array(z.unknown()) });

/** Checks a list as far as it can be checked without its pictures. `known`: the classes of what was imported before, or none. */
export function readImportList(value: unknown, known: readonly string[]): ImportReading {
  const outline = Outline.safeParse(value);
  if (!outline.success) return no('unreadable-list', `the list must be {"classes": [...], "items": [...]}: ${firstIssue(outline.error)}`);
  const { classes, items } = outline.data;
  if (classes.length === 0)
    return no('no-classes', 'the list names no class: put the class names into "classes" (for YOLO files, the lines of classes.txt)');
  if (new Set(classes).size < classes.length) return no('unreadable-list', 'a class name occurs twice: each class needs a name of its own');
  if (items.length === 0) return no('no-items', 'the list has no items: label at least a few pictures, or start without an import');
  if (known.length > 0 && known.join('\n') !== classes.join('\n')) {
    return no(
      'classes-differ',
      `the dataset has the classes ${known.join(', ')}; the list has ${classes.join(', ')}: bring them into the same names and order`,
    );
  }
  return readItems(classes, items);
}

function readItems(classes: readonly string[], items: readonly unknown[]): ImportReading {
  const byDigest = new Map<string, ImportedPicture>();
  for (const [index, raw] of items.entries()) {
    const parsed = ImportedItem.safeParse(raw);
    if (!parsed.success) return no('bad-item', `item ${index}${nameOf(raw)}: ${firstIssue(parsed.error)}`);
    const item = parsed.data;
    const problem = findBoxProblem(item.boxes, classes);
    if (problem !== undefined)
      return no('class-out-of-range', `item ${index} (${item.picture.key}), box ${problem.index}: ${problem.problem}`);
    const earlier = byDigest.get(item.picture.digest);
    if (earlier !== undefined && JSON.stringify(earlier.boxes) !== JSON.stringify(item.boxes)) {
      return no(
        'contradiction',
        `item ${index} (${item.picture.key}) is the same picture as ${earlier.picture.key} with other boxes: keep one of them`,
      );
    }
    byDigest.set(item.picture.digest, earlier ?? item);
  }
  return { ok: true, list: { classes, items: [...byDigest.values()] } };
}

function nameOf(raw: unknown): string {
  const key = (raw as { picture?: { key?: unknown } } | null)?.picture?.key;
  return typeof key === 'string' ? ` (${key.slice(0, 200)})` : '';
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unreadable' : `${issue.path.join('.')}${issue.path.length > 0 ? ': ' : ''}${issue.message}`;
}

function no(code: ImportProblem['code'], say: string): ImportReading {
  return { ok: false, problem: { code, say } };
}

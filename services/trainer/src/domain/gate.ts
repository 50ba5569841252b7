import type { Evaluation, GateVerdict, SliceScore } from '@edgeloop/contracts';

/** What a candidate must reach on a holdout that neither model has seen; mAP50 throughout. */
export interface GateRule {
  /** The candidate's mean over slices must beat the incumbent's by at least this. */
  readonly gainMin: number;
  /** No slice may fall by more than this. */
  readonly sliceFallMax: number;
  /** Slices with fewer holdout frames are reported, not judged. */
  readonly sliceFramesMin: number;
  /** Classes with fewer labelled boxes in a slice do not count there: five boxes say nothing about a class, and would be half of a mean over two. */
  readonly classBoxesMin: number;
  /** A first model, without an incumbent, must reach this overall. */
  readonly firstModelMin: number;
}

const shown = (value: number): string => value.toFixed(3);

interface JudgedSlice {
  readonly name: string;
  readonly candidate: number;
  readonly incumbent: number;
  /** Classes that did not count, told. */
  readonly remark: string;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The slice's score over these classes; an evaluator that tells no classes apart is taken at its word. */
function scoreOver(classes: readonly string[], slice: SliceScore): number | null {
  if (Object.keys(slice.perClass).length === 0) return slice.map50;
  const scores = classes.map((name) => slice.perClass[name]?.ap50 ?? 0);
  return scores.length === 0 ? null : mean(scores);
}

function comparable(name: string, candidate: SliceScore, incumbent: SliceScore | undefined, rule: GateRule): JudgedSlice | string {
  if (candidate.map50 === null || incumbent === undefined || incumbent.map50 === null)
    return `${name}: no labelled box in the holdout, not judged`;
  if (candidate.frames < rule.sliceFramesMin)
    return `${name}: ${shown(candidate.map50)} against ${shown(incumbent.map50)} on only ${candidate.frames} frames, not judged (${rule.sliceFramesMin} are needed)`;
  const seen = Object.entries(candidate.perClass).filter(([, { truths }]) => truths > 0);
  const enough = seen.filter(([, { truths }]) => truths >= rule.classBoxesMin).map(([className]) => className);
  const few = seen.filter(([className]) => !enough.includes(className)).map(([className, { truths }]) => `${className} ${truths}`);
  const remark = few.length > 0 ? ` (without classes of fewer than ${rule.classBoxesMin} boxes: ${few.join(', ')})` : '';
  const [ofCandidate, ofIncumbent] = [scoreOver(enough, candidate), scoreOver(enough, incumbent)];
  if (ofCandidate === null || ofIncumbent === null) return `${name}: no class has enough labelled boxes, not judged${remark}`;
  return { name, candidate: ofCandidate, incumbent: ofIncumbent, remark };
}

function judgeFirstModel(evaluation: Evaluation, rule: GateRule): GateVerdict {
  const reached = evaluation.candidate.overall.map50;
  const passed = reached !== null && reached >= rule.firstModelMin;
  const said =
    reached === null ? 'the holdout has no labelled box' : `overall ${shown(reached)}, a first model needs ${shown(rule.firstModelMin)}`;
  return { verdict: passed ? 'passed' : 'refused', reasons: [said], evaluation };
}

/**
 * Passes when the mean over judged slices grows by `gainMin` and no judged slice falls by more than `sliceFallMax`.
 * Without an incumbent only the overall score counts; without a judged slice the answer is no.
 */
export function judgeCandidate(evaluation: Evaluation, rule: GateRule): GateVerdict {
  const { candidate, incumbent } = evaluation;
  if (!incumbent) return judgeFirstModel(evaluation, rule);
  const compared = Object.keys(candidate.slices)
    .sort()
    .map((name) => comparable(name, candidate.slices[name] as SliceScore, incumbent.slices[name], rule));
  const judged = compared.filter((each): each is JudgedSlice => typeof each !== 'string');
  const reasons = compared.filter((each): each is string => typeof each === 'string');
  if (judged.length === 0)
    return { verdict: 'refused', reasons: [...reasons, 'no slice could be judged: collect and label more'], evaluation };
  const fallen = judged.filter((slice) => slice.incumbent - slice.candidate > rule.sliceFallMax);
  for (const slice of judged) {
    const fell = fallen.includes(slice) ? `, fell by more than ${shown(rule.sliceFallMax)}` : '';
    reasons.push(`${slice.name}: ${shown(slice.candidate)} against ${shown(slice.incumbent)}${fell}${slice.remark}`);
  }
  const gain = mean(judged.map((slice) => slice.candidate)) - mean(judged.map((slice) => slice.incumbent));
  reasons.push(`mean over slices ${gain < 0 ? 'fell' : 'grew'} by ${shown(Math.abs(gain))}, at least ${shown(rule.gainMin)} is asked`);
  return { verdict: fallen.length === 0 && gain >= rule.gainMin ? 'passed' : 'refused', reasons, evaluation };
}

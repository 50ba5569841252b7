/** Jest's results (its --json output, or undefined when it wrote none) and exit status -> counts, exit status, and why when it is bad. */
export function verdictOf(results, jestCode) {
  // A suite that could not even be loaded has no tests to fail: it counts as one.
  const failed = (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0);
  const passed = results?.numPassedTests ?? 0;
  const skipped = (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0);
  const counts = { passed, failed, skipped };
  if (!results) return { ...counts, exitCode: jestCode || 1, why: 'Jest ended without results; what it said is above.' };
  if (failed > 0) return { ...counts, exitCode: 1 };
  if (passed === 0) return { ...counts, exitCode: 1, why: 'No test ran: check the names given after "npm test --".' };
  return {
    ...counts,
    exitCode: jestCode,
    ...(jestCode === 0 ? {} : { why: `Jest ended with status ${jestCode} although no test failed; what it said is above.` }),
  };
}

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** One verdict of several runs: counts added up, the first bad end kept. */
export function together(verdicts) {
  const bad = verdicts.find((verdict) => verdict.exitCode !== 0);
  const sum = (key) => verdicts.reduce((total, verdict) => total + verdict[key], 0);
  return {
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    exitCode: bad?.exitCode ?? 0,
    ...(bad?.why ? { why: bad.why } : {}),
  };
}

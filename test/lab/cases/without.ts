/** Checks without a case, and why; what they find is tested in test/unit/diagnostics. Nothing is added here: a new check comes with its case. */
export const WITHOUT_CASE: Readonly<Record<string, string>> = {
  'PTH-07': 'its rests take minutes, and a case 15 s (test/scenario/doctor-rests.test.ts has one)',
  'SVC-05':
    "a user's own manager runs everything as that user; the system's is no system's unless it is the first process",
};

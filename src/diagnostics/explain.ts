import { catalogue } from './catalogue.ts';
import type { Check } from './check.ts';
import { readSections, type Section } from './pages.ts';

/** All that is to be known of a check without running it. */
export interface Explanation extends Section {
  readonly about: Check['about'];
  readonly topics: readonly string[];
  /** Checks without whose success it is not asked. */
  readonly needs: readonly string[];
  /** Checks whose finding stands for this one's. */
  readonly explainedBy: readonly string[];
  /** Checks whose findings this one's stands for. */
  readonly explains: readonly string[];
}

/** Explains a check (`PTH-06`) or each of a family (`PTH`), in the order of the catalogue; none for a word that is neither. */
export async function explain(word: string): Promise<Explanation[]> {
  const upper = word.toUpperCase();
  const checks = catalogue.filter(({ id }) => id === upper || id.startsWith(`${upper}-`));
  const [family] = upper.split('-');
  if (checks.length === 0 || family === undefined) return [];
  const sections = await readSections(family);
  return checks.map((check) => {
    const section = sections.find(({ id }) => id === check.id);
    if (section === undefined) throw new Error(`the doctor's page of ${family} has no section ${check.id}`);
    return {
      ...section,
      about: check.about,
      topics: check.topics,
      needs: check.needs,
      explainedBy: check.causes ?? [],
      explains: catalogue.filter(({ causes }) => causes?.includes(check.id) === true).map(({ id }) => id),
    };
  });
}

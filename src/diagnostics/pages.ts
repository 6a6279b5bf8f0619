import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What the page of a check's family (docs/doctor/hst.md) says of it, by its parts. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** What it looks at and why: paragraphs, lists and code in Markdown, without the two parts below. */
  readonly text: string;
  readonly severity: string;
  readonly fix: string;
}

/** Where the pages may stand, from this file: beside the sources; beside the built chunks; in the directory of a program in one file. */
const PLACES = ['../../docs/doctor/', '../doctor/', './doctor/'];

/** The sections of a family's page, in its order; `family` as in ids (`HST`). Rejects when the page is missing: a fault of bbx. */
export async function readSections(family: string): Promise<Section[]> {
  const file = `${family.toLowerCase()}.md`;
  const places = PLACES.map((place) => fileURLToPath(new URL(place + file, import.meta.url)));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`the doctor's page ${file} is missing beside ${import.meta.url}`);
  return sectionsOf(await readFile(found, 'utf8'));
}

/** The sections of a page. Pure. */
export function sectionsOf(page: string): Section[] {
  return page
    .split(/^(?=### )/m)
    .filter((part) => part.startsWith('### '))
    .map((part) => {
      const [, id = '', title = ''] = /^### ([A-Z]{3}-\d\d): (.*)/.exec(part) ?? [];
      const paragraphs = part.split(/\n\s*\n/).slice(1);
      const labelled = (label: string) =>
        paragraphs
          .filter((paragraph) => paragraph.startsWith(`${label}: `))
          .map((paragraph) => paragraph.slice(label.length + 2).trim())
          .join('\n\n');
      return {
        id,
        title,
        text: paragraphs
          .filter((paragraph) => !/^(Severity|Fix): /.test(paragraph))
          .join('\n\n')
          .trim(),
        severity: labelled('Severity'),
        fix: labelled('Fix'),
      };
    });
}

import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../src/diagnostics/catalogue.ts';
import { explain } from '../../../src/diagnostics/explain.ts';
import { sectionsOf } from '../../../src/diagnostics/pages.ts';

describe('the explanation of a check', () => {
  it.each(catalogue.map(({ id }) => id))(
    '%s says what it looks at, how grave it is, and what to do',
    async (id) => {
      const [one, ...others] = await explain(id);
      expect(others).toEqual([]);
      expect(one).toMatchObject({ id, title: catalogue.find((check) => check.id === id)?.title });
      for (const part of ['text', 'severity', 'fix'] as const) expect(one?.[part], part).not.toBe('');
    },
  );

  it('is none for a word that is neither check nor family', async () => {
    expect(await explain('XYZ-01')).toEqual([]);
    expect(await explain('')).toEqual([]);
  });

  it('is read from sections with several paragraphs and code', () => {
    const page =
      '# X\n\n### XYZ-01: a title: with colon\n\nFirst.\n\n```\ncode\n```\n\nSeverity: warn;\nerror.\n\nFix: Mend.\n\n### XYZ-02: b\n\nText.\n';
    expect(sectionsOf(page)).toEqual([
      {
        id: 'XYZ-01',
        title: 'a title: with colon',
        text: 'First.\n\n```\ncode\n```',
        severity: 'warn;\nerror.',
        fix: 'Mend.',
      },
      { id: 'XYZ-02', title: 'b', text: 'Text.', severity: '', fix: '' },
    ]);
  });
});

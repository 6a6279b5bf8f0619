import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { doctorReport } from '../../../src/api/doctor.ts';
import { report, target, tried } from '../diagnostics/recorded.ts';

const PAGE = new URL('../../../docs/doctor.schema.json', import.meta.url);

/** The schema as other programs read it. */
const schema = () => z.toJSONSchema(doctorReport, { io: 'input' });

describe('docs/doctor.schema.json', () => {
  it('is what bbx doctor --json keeps to', async () => {
    const text = `${JSON.stringify({ ...schema(), title: 'bbx.doctor/1' }, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(PAGE.pathname);
  });

  it('takes a report and refuses what is none', async () => {
    const shipped = z.fromJSONSchema(
      JSON.parse(readFileSync(PAGE, 'utf8')) as Parameters<typeof z.fromJSONSchema>[0],
    );
    const { report: got } = await report({ subjects: [target()], attempts: [tried('11.0.0.1', 'silent')] });
    expect(shipped.safeParse(JSON.parse(JSON.stringify(got))).success).toBe(true);
    for (const wrong of [
      { ...got, schema: 'bbx.doctor/2' },
      { ...got, findings: [{}] },
      { ...got, code: '5' },
    ])
      expect(shipped.safeParse(wrong).success).toBe(false);
  });

  it('is only ever added to: a report of its first version is one still, word by word, and nothing more is needed', () => {
    const first = JSON.parse(
      readFileSync(new URL('../../fixtures/doctor/first-report.json', import.meta.url), 'utf8'),
    ) as Record<string, unknown>;
    expect(doctorReport.parse(first)).toEqual(first);
    expect(schema().required?.toSorted()).toEqual(Object.keys(first).toSorted());
  });
});

import { expect, it } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import { createLogPacker } from '../../../../src/runtime/master/log-packer.ts';
import type { LogFiles } from '../../../../src/store/log-files.ts';
import type { Store } from '../../../../src/store/store.ts';

it('leaves others their share of the processor only until too many logs wait', async () => {
  const rested: boolean[] = [];
  const done = Promise.withResolvers<void>();
  const finish: LogFiles['finish'] = async (_logid, _expected, rest) => {
    const resting = rest?.(0);
    rested.push(resting !== undefined);
    if (rested.length === 30) done.resolve();
    await resting;
    return { bytes: 0, sha256: null, lines: 0, damaged: [] };
  };
  const packer = createLogPacker({ files: { finish } as LogFiles, store: {} as Store, log: silentLog });
  for (let logid = 1; logid <= 1_010; logid += 1) packer.add(logid);
  await done.promise;
  await packer.stop();
  expect(rested.slice(0, 10)).toEqual(Array(10).fill(false));
  expect(rested.slice(10, 30)).toEqual(Array(20).fill(true));
});

import { readDocument } from '../../../src/config/document.ts';
import { examine } from '../../../src/config/load.ts';
import { masterLanguage } from '../../../src/config/master.ts';
import { workerLanguage } from '../../../src/config/worker.ts';
import type { MasterConfig } from '../../../src/config/master-config.ts';
import type { Problem } from '../../../src/config/problem.ts';

export function examineMaster(text: string | Uint8Array) {
  return examine(masterLanguage, readDocument(text, 'master.yaml'), '/farm');
}

export function examineWorker(text: string | Uint8Array) {
  return examine(workerLanguage, readDocument(text, 'worker.yaml'), '/worker');
}

/** The configuration of a text that must hold. */
export async function masterOf(text: string): Promise<MasterConfig> {
  const { config, problems } = await examineMaster(text);
  if (config === undefined) throw new Error(JSON.stringify(problems, null, 2));
  return config;
}

/** `line:column message [fix]` of each problem. */
export function lines(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ line, column, message, fix }) => `${line}:${column} ${message}${fix === null ? '' : ` [${fix}]`}`,
  );
}

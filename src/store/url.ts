import { resolve } from 'node:path';
import { codes } from './codes.ts';

/** `sqlite:FILE` as a file's path, relative ones from `dir`. Errors: BBX-STO-URL. */
export function parseStoreUrl(url: string, dir: string): { file: string } {
  if (/^postgres(ql)?:/.test(url)) {
    // A password may stand in it.
    const shown = url.replace(/\/\/[^@/]*@/, '//***@');
    throw codes['BBX-STO-URL']({ url: shown, problem: 'this bbx keeps its store in SQLite only' });
  }
  const file = /^sqlite:(.+)$/s.exec(url)?.[1];
  if (file === undefined) throw codes['BBX-STO-URL']({ url, problem: 'it does not begin with sqlite:' });
  if (file === ':memory:' || file.includes('\0')) {
    throw codes['BBX-STO-URL']({ url, problem: 'it does not name a file' });
  }
  return { file: resolve(dir, file.replace(/^\/\/(?=\/)/, '')) };
}

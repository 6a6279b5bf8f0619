import { execFile } from 'node:child_process';

/** A disk that takes longer has other trouble. */
const LIMIT_MS = 10 * 60_000;

/** Makes everything durable that was written to the file system of `path`, in one go; where the system has no such program, nothing. */
export async function syncDisk(path: string): Promise<void> {
  await new Promise<void>((resolve) => {
    execFile('sync', ['-f', path], { timeout: LIMIT_MS }, () => resolve());
  });
}

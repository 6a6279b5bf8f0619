import { open } from 'node:fs/promises';

/** What a file has from a byte on, and where the next reader begins; a file that is not there is made. */
export async function readFrom(file: string, from: number): Promise<{ text: string; next: number }> {
  await using handle = await open(file, 'a+');
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(Math.max(0, size - from));
  await handle.read(bytes, 0, bytes.length, from);
  return { text: bytes.toString(), next: size };
}

import { openNamespace, type Namespace } from '../../src/drill/namespace.ts';

/** Where small disks can be made and filled. */
export async function smallDisks(): Promise<Namespace> {
  const opened = await openNamespace();
  if ('because' in opened) throw new Error(`small disks cannot be made here: ${opened.because}`);
  return opened;
}

/** For `skipAloud`: why this machine or user cannot make them. */
export async function wantOfSmallDisks(): Promise<string | undefined> {
  try {
    await using _ = await smallDisks();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

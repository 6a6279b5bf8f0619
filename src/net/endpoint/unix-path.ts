import { GrammarFault } from './fault.ts';

/** sun_path holds 108 bytes on Linux with the closing zero (macOS: 104); a longer path is cut by nobody, it fails. */
const UNIX_PATH_BYTES = 107;

/** The path of a socket in the file system, from `offset` to the end of `text`: absolute, and short enough for the system. */
export function parseUnixPath(text: string, offset: number): string {
  const path = text.slice(offset);
  if (!path.startsWith('/')) {
    throw new GrammarFault(offset, 'the path must be absolute', 'unix:/run/bbx/master.sock');
  }
  const zero = path.indexOf('\0');
  if (zero >= 0)
    throw new GrammarFault(offset + zero, 'a path has no zero byte', 'unix:/run/bbx/master.sock');
  if (path.endsWith('/'))
    throw new GrammarFault(text.length - 1, 'this is a directory', 'the path of a socket');
  const bytes = Buffer.byteLength(path);
  if (bytes > UNIX_PATH_BYTES) {
    throw new GrammarFault(
      offset,
      `the path has ${bytes} bytes and a socket's path at most ${UNIX_PATH_BYTES}`,
      'a shorter path',
    );
  }
  return path;
}

import { defineCodes, row } from './error.ts';
import { EXIT } from './exit.ts';

/** Trouble with files that the system tells; `fileTrouble` chooses the row. */
export const codes = defineCodes({
  'BBX-FILE-DENIED': row<{ action: string; path: string; reason: string }>({
    message: ({ action, path, reason }) => `Cannot ${action} "${path}": ${reason}`,
    hint: ({ path }) =>
      `Run the command as the user to whom it belongs, or change owner or mode; see them all the way down: namei -l ${quote(path)}`,
    exit: EXIT.forbidden,
    about:
      'The system does not let this user do that with the file: owner and mode of it or of a folder above it are against it, or its file ' +
      'system is read-only.',
  }),
  'BBX-FILE-MISSING': row<{ action: string; path: string; reason: string }>({
    message: ({ action, path, reason }) => `Cannot ${action} "${path}": ${reason}`,
    hint: ({ path }) =>
      `Look where it should be: ls -la ${quote(folderOf(path))} (what a farm has lost comes back from its backup)`,
    exit: EXIT.notFound,
    about:
      'A file that bbx needs is not where it belongs: it was removed or moved, its name is another, or its disk is not mounted.',
  }),
  'BBX-FILE-ROOM': row<{ action: string; path: string; reason: string }>({
    message: ({ action, path, reason }) => `Cannot ${action} "${path}": ${reason}`,
    hint: ({ path }) =>
      `Make room, then repeat the command; how much there is: df -h ${quote(folderOf(path))}`,
    exit: EXIT.failed,
    retryable: true,
    about: 'The disk is full, or the quota of this user is used up, so the file could not be written.',
  }),
});

function folderOf(path: string): string {
  return path.replace(/\/[^/]*$/, '') || '/';
}

function quote(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

import { basename } from 'node:path';

/** What the kernel calls the first thread of Node, of every version. */
const NODE = new Set(['node', 'MainThread']);
const CODE = new Set(['-e', '--eval', '-p', '--print', '-pe']);
/** Plain words behind `bbx` that name a command: `run master`. */
const COMMAND_WORDS = 2;

/**
 * What people call a process, by its `comm` and `cmdline` of /proc: programs in JavaScript by their script, and bbx by its command. Nothing
 * else of a command line is told: it may hold secrets.
 */
export function programName(comm: string, cmdline: string): string {
  if (!NODE.has(comm)) return comm;
  const [executable = comm, ...words] = cmdline.split('\0').filter((word) => word !== '');
  const at = words.findIndex((word) => !word.startsWith('-'));
  const script = words[at];
  // `node -e …`: what follows is a program, not its name.
  if (script === undefined || CODE.has(words[at - 1] ?? '')) return basename(executable);
  if (basename(script) !== 'bbx') return `${basename(executable)} ${basename(script)}`;
  const command = words.slice(at + 1).filter((word) => /^[a-z][a-z-]*$/.test(word));
  return ['bbx', ...command.slice(0, COMMAND_WORDS)].join(' ');
}

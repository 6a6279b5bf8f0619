import { spawnSync } from 'node:child_process';
import { problemOf } from '../../rigs/command-tree.ts';

/** Programs that a fix may name. */
const PROGRAMS = new Set(
  (
    'bbx buildbot cat chmod chown chronyc curl date df dig du export getent git grep head ip journalctl ls nft nsenter openssl ps ss ssh ssh-keygen ssh-keyscan sysctl ' +
    'systemctl systemd-analyze tcpdump timedatectl ulimit unset useradd'
  ).split(' '),
);

/** What is wrong with a line that a person is to paste into a shell, or undefined. */
export function problemOfLine(line: string): string | undefined {
  const { status, stderr } = spawnSync('bash', ['-n', '-c', line], { encoding: 'utf8' });
  if (status !== 0) return `${line}: ${stderr.trim()}`;
  const problems = line
    .replace(/\s#.*/, '')
    .split(' | ')
    .map((piece) => {
      const words = (piece.match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g) ?? []).filter(
        (word, index, all) => !(word === 'sudo' && index === 0) && !isAssignment(word, all, index),
      );
      const [program = '', ...rest] = words;
      if (!PROGRAMS.has(program)) return `"${program}" is no program that is known`;
      return program === 'bbx' ? problemOf({ words: rest.join(' '), where: 'code' }) : undefined;
    });
  const [problem] = problems.filter((one) => one !== undefined);
  return problem === undefined ? undefined : `${line}: ${problem}`;
}

/** `NAME=value` before the program. */
function isAssignment(word: string, all: readonly string[], index: number): boolean {
  return /^[A-Z_]+=/.test(word) && all.slice(0, index).every((before) => /^[A-Z_]+=/.test(before));
}

import { withoutCredentials } from '../base/without-credentials.ts';
import { codes } from './codes.ts';

/** The longest URL, branch or revision that is looked at; git itself takes no more from a command line's word than the system. */
const LONGEST_VALUE = 4_096;

/** Transports for the repository that a person named. `ext::` and other helpers would run what the URL says. */
const MAIN_TRANSPORTS = 'file:git:http:https:ssh';

/** For submodules, whose URLs the repository names: no local paths of this machine, either. */
export const SUBMODULE_TRANSPORTS = 'git:http:https:ssh';

/** How long ssh tries to connect, s: git has no limit of its own. */
const SSH_CONNECT_S = 20;

/**
 * What every git of ours runs with: no question at a terminal, ssh without questions, no hooks and no helpers that a repository's own
 * configuration may name, messages in English so that they can be read. `ssh` is the GIT_SSH_COMMAND of whoever may choose keys and known
 * hosts.
 */
export function gitEnvironment(ssh: string | undefined): Record<string, string> {
  return { ...GIT_ENVIRONMENT, GIT_SSH_COMMAND: sshCommand(ssh) };
}

/**
 * OpenSSH gets options that keep it from asking and from waiting for ever; it takes the first value of each, so those that were given count.
 * Another program does not know these options, and is run as it was given.
 */
function sshCommand(given = ''): string {
  const command = given.trim() === '' ? 'ssh' : given.trim();
  const isOpenSsh = /^(?:\S*\/)?ssh(?:\s|$)/.test(command);
  return isOpenSsh ? `${command} -oBatchMode=yes -oConnectTimeout=${SSH_CONNECT_S}` : command;
}

const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '',
  SSH_ASKPASS: '',
  GIT_ALLOW_PROTOCOL: MAIN_TRANSPORTS,
  GIT_PROTOCOL_FROM_USER: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GCM_INTERACTIVE: 'never',
  LC_ALL: 'C',
};

/** Words between `git` and its verb. */
export const GIT_OPTIONS: readonly string[] = [
  ...['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.askPass='],
  ...['-c', 'gc.autoDetach=false', '-c', 'advice.detachedHead=false', '-c', 'credential.interactive=false'],
];

/** A value that is safe as a word of a git command. Throws BBX-EXE-GIT-VALUE. */
export function checkGitValue(what: 'repository' | 'branch' | 'revision' | 'pattern', value: string): string {
  const problem = problemOf(what, value);
  if (problem !== undefined) {
    const shown = what === 'repository' ? withoutCredentials(value) : value;
    throw codes['BBX-EXE-GIT-VALUE']({ what, value: shown.slice(0, 200), problem });
  }
  return value;
}

function problemOf(what: string, value: string): string | undefined {
  if (value === '') return 'it is empty';
  if (value.length > LONGEST_VALUE) return `it is longer than ${LONGEST_VALUE} characters`;
  if (value.startsWith('-')) return 'it begins with "-", which git would take for an option';

  if (/[\u0000-\u001f\u007f]/.test(value)) return 'it holds control characters';
  if (what === 'repository') {
    const helper = /^([A-Za-z0-9+.-]+)::/.exec(value)?.[1];
    if (helper !== undefined) return `the transport helper "${helper}::" is not allowed`;
    const scheme = /^([A-Za-z0-9+.-]+):\/\//.exec(value)?.[1]?.toLowerCase();
    if (scheme !== undefined && ![...MAIN_TRANSPORTS.split(':'), 'git+ssh', 'ssh+git'].includes(scheme)) {
      return `the transport "${scheme}" is not allowed; use https, ssh, git, http or a path`;
    }
    // `ssh://-oProxyCommand=…`: the host would be an option of ssh.
    if (/^[a-z+]+:\/\/(?:[^/@]*@)?-/i.test(value) || /^[^/:]*@-/.test(value))
      return 'its host begins with "-"';
    return undefined;
  }
  if (what === 'branch' && (/[ ~^:?*[\\]|\.\.|@\{|\/\/|\.lock$|\/$|^\/|\.$/.test(value) || value === '@')) {
    return 'git allows no such name';
  }
  if (what === 'revision' && !isFullRevision(value))
    return 'a full commit id of 40 or 64 hexadecimal digits is needed';
  return undefined;
}

/** Whether a text is a whole commit id, SHA-1 or SHA-256. */
export function isFullRevision(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

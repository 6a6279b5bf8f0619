import type { Identity } from './identity.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What programs need of a host to run at all: search path, language, time zone, scratch place, and the way to the network. Everything else
 * that was in the environment of a worker (tokens of the shell it was started from, agents' sockets, `BBX_*`) stays outside.
 */
const PASSED = new Set(
  [
    ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR'],
    ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'],
    ...[
      'http_proxy',
      'https_proxy',
      'all_proxy',
      'no_proxy',
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'ALL_PROXY',
      'NO_PROXY',
    ],
  ].concat(process.platform === 'win32' ? ['SystemRoot', 'ComSpec', 'PATHEXT', 'TEMP', 'TMP'] : []),
);

/** Where programs stand on a host that was started without a PATH, as by some init systems. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** The part of `host` that other programs get; with an identity, that user's home, name and shell. */
export function passedEnvironment(host: Environment, identity: Identity | null): Record<string, string> {
  const passed: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const [name, value] of Object.entries(host)) {
    if (value !== undefined && (PASSED.has(name) || name.startsWith('LC_'))) passed[name] = value;
  }
  if (identity === null) return passed;
  // The worker's own scratch directory may be closed to that user.
  delete passed['TMPDIR'];
  return {
    ...passed,
    HOME: identity.home,
    USER: identity.user,
    LOGNAME: identity.user,
    SHELL: identity.shell,
  };
}

import type { BbxError } from '../base/error.ts';
import type { Hop } from './endpoint/hop.ts';
import { startLocalProxy } from './local-proxy.ts';

/** How one git command's connections are made. */
export interface GitRoute {
  /** Variables for git's environment. They hold a token that is good until `close`. */
  readonly env: Readonly<Record<string, string>>;
  /** Why connections failed so far; git itself only learns that its proxy said no. */
  failures(): readonly BbxError[];
  close(): void;
}

export interface GitRoutes extends AsyncDisposable {
  open(): GitRoute;
}

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy'];

/**
 * Routes for git's `http://` and `https://` connections: through `dial`, so that both address families are raced and the hops apply.
 * Where the environment names a proxy of the site, that one is used and nothing is put between. ssh makes its own connections.
 */
export async function openGitRoutes(options: {
  via: readonly Hop[];
  env: Readonly<Record<string, string | undefined>>;
}): Promise<GitRoutes> {
  if (namesProxy(options.env)) {
    const direct: GitRoute = { env: {}, failures: () => [], close: () => undefined };
    return { open: () => direct, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const proxy = await startLocalProxy({ via: options.via });
  return {
    open() {
      const grant = proxy.grant();
      const url = grant.url.reveal();
      return {
        env: { http_proxy: url, https_proxy: url, no_proxy: '', NO_PROXY: '' },
        failures: () => grant.failures,
        close: () => grant.revoke(),
      };
    },
    [Symbol.asyncDispose]: () => proxy.close(),
  };
}

/** Whether git would go through a proxy that its environment names. */
export function namesProxy(env: Readonly<Record<string, string | undefined>>): boolean {
  return PROXY_VARIABLES.some((name) => (env[name] ?? env[name.toUpperCase()] ?? '') !== '');
}

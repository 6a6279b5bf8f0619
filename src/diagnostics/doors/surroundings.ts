import { access, readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { askTool } from '../../exec/ask.ts';

const TOOL_MS = 1_000;

/**
 * MTUs of the interfaces, from the kernel's switches of IPv6. An interface that has none of those, since the kernel takes IPv6 off a link
 * below 1280 bytes, is asked of `ip`: /sys may show another network namespace than ours.
 */
export async function readMtus(conf: string): Promise<Record<string, number>> {
  const known: Record<string, number> = {};
  const names = (await readdir(conf).catch(() => [])).filter(
    (name) => name !== 'all' && name !== 'default' && name !== 'lo',
  );
  await Promise.all(
    names.map(async (name) => {
      const mtu = Number(await readFile(join(conf, name, 'mtu'), 'utf8').catch(() => ''));
      if (mtu > 0) known[name] = mtu;
    }),
  );
  const unseen = Object.keys(interfaces()).filter((name) => name !== 'lo' && !names.includes(name));
  if (names.length === 0 && unseen.length === 0) return known;
  for (const name of unseen) {
    const { stdout } = await askTool('ip', ['-o', 'link', 'show', 'dev', name], { timeoutMs: TOOL_MS });
    const mtu = Number(/ mtu (\d+) /.exec(stdout)?.[1]);
    if (mtu > 0) known[name] = mtu;
  }
  return known;
}

/** The system's own list, `{}` where it gives none: with every file descriptor in use the call fails. */
export function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/** What the process runs in besides the machine, by the marks that container programs leave and the map of its users. */
export async function readInside(proc: string): Promise<string[]> {
  const there = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  const [docker, podman, cgroup, users] = await Promise.all([
    there('/.dockerenv'),
    there('/run/.containerenv'),
    readFile(join(proc, '1/cgroup'), 'utf8').catch(() => ''),
    readFile(join(proc, 'self/uid_map'), 'utf8').catch(() => ''),
  ]);
  const kind = docker
    ? 'docker'
    : podman
      ? 'podman'
      : /\b(docker|podman|lxc|kubepods|containerd)\b/.exec(cgroup)?.[1];
  // The whole range of ids maps to itself outside any user namespace.
  const [first] = users.split('\n');
  const mapped = first !== undefined && first.trim() !== '' && !/^\s*0\s+0\s+4294967295\s*$/.test(first);
  return [...(kind === undefined ? [] : [`a container (${kind})`]), ...(mapped ? ['a user namespace'] : [])];
}

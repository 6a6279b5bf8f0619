import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { doctorReport, type DoctorReport } from '../../src/api/doctor.ts';
import { BIN } from '../rigs/bbx.ts';
import type { LabServers } from './lab-servers.ts';

const SERVERS = fileURLToPath(new URL('lab-servers.ts', import.meta.url));
const UNSHARE = ['-Urnm', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Whether this host lets ordinary users make network namespaces with a link in them. */
export function namespacesAllowed(): boolean {
  try {
    execFileSync('unshare', [...UNSHARE, 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'], {
      stdio: 'ignore',
      timeout: 10_000,
    });
    return true;
  } catch {
    return false;
  }
}

export interface LabCase {
  /** Lines of shell, as root of the namespace: `lo` is up, `v0` has 11.0.0.2/24 and 2a00:1::2/64 and default routes, `v1` is its other end. */
  setup?: string[];
  servers?: Partial<LabServers>;
  /** /etc/hosts in the lab, besides localhost. */
  hosts?: string;
  doctor: string[];
}

/** Runs `bbx doctor` in a host made for it; nothing outside is touched, and everything is gone afterwards. */
export async function inLab(given: LabCase): Promise<{ report: DoctorReport; code: number | null }> {
  const dir = await mkdtemp(join(tmpdir(), 'bbx-lab-'));
  try {
    await writeFile(join(dir, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
    await writeFile(join(dir, 'hosts'), `127.0.0.1 localhost\n::1 localhost\n${given.hosts ?? ''}\n`);
    const spec: LabServers = { names: given.servers?.names ?? {}, listeners: given.servers?.listeners ?? [] };
    const lines = [
      'set -e',
      'ip link set lo up',
      'ip link add v0 type veth peer name v1',
      'ip link set v1 up; ip link set v0 up',
      'ip addr add 11.0.0.2/24 dev v0',
      'ip -6 addr add 2a00:1::2/64 dev v0 nodad',
      'ip route add default via 11.0.0.1',
      'ip -6 route add default via 2a00:1::1 dev v0',
      'mount --bind "$LAB/resolv.conf" /etc/resolv.conf',
      'mount --bind "$LAB/hosts" /etc/hosts',
      ...(given.setup ?? []),
      '"$NODE" "$SERVERS" "$SPEC" > "$LAB/ready" &',
      'for i in $(seq 200); do grep -q ready "$LAB/ready" && break; sleep 0.05; done; grep -q ready "$LAB/ready"',
      'cd "$LAB"',
      'set +e; "$NODE" "$BIN" doctor "$@" --json',
    ];
    const child = spawn('unshare', [...UNSHARE, 'bash', '-c', lines.join('\n'), 'lab', ...given.doctor], {
      env: { ...process.env, LAB: dir, NODE: process.execPath, SERVERS, BIN, SPEC: JSON.stringify(spec) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const timer = setTimeout(() => child.kill('SIGKILL'), 40_000);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    try {
      return { report: doctorReport.parse(JSON.parse(stdout())), code };
    } catch (cause) {
      throw new Error(`the lab gave no report (exit ${code}): ${stdout()}${stderr()}`, { cause });
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

import { arch, availableParallelism, hostname, platform, release } from 'node:os';

/** What the master is told about this machine and this worker; words for people. */
export function machineFacts(
  tags: readonly string[],
  runAs: { user: string; uid: number } | null,
): Readonly<Record<string, string>> {
  return {
    os: `${platform()} ${release()}`,
    arch: arch(),
    node: process.version,
    cpus: String(availableParallelism()),
    hostname: hostname(),
    tags: tags.join(' '),
    runAs: runAs?.user ?? '',
    // Whom builds run as; the master says so when that lets them at its control socket.
    uid: String(runAs?.uid ?? process.geteuid?.() ?? ''),
  };
}

import { accessSync, constants, existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A user's own systemd can be started anywhere; the system's would have to be the first process, and mounts, cleans and configures what it finds. */
export const SYSTEMD = '/usr/lib/systemd/systemd';
const CGROUPS = '/sys/fs/cgroup';
const TARGET = 'lab.target';

/** Hierarchies that systemd divides: the one of version 2, alone or beside those of version 1. */
const HIERARCHIES = [CGROUPS, join(CGROUPS, 'unified'), join(CGROUPS, 'systemd')];

/** Whether this user may give a manager a cgroup of its own. */
export function mayDivide(): boolean {
  const there = HIERARCHIES.filter((path) => existsSync(join(path, 'cgroup.procs')));
  try {
    for (const path of there) accessSync(path, constants.W_OK);
    return there.length > 0;
  } catch {
    return false;
  }
}

/** Files of the manager's home: the units alone that are given, and its target. */
export function unitFiles(units: Readonly<Record<string, string>>): Record<string, string> {
  // Nothing of the machine's own units is known to it, so nothing of them is started.
  const bare = '[Unit]\nDefaultDependencies=no\n';
  return Object.fromEntries(
    Object.entries({ [TARGET]: bare, ...units }).map(([name, text]) => [
      `home/.config/systemd/user/${name}`,
      text,
    ]),
  );
}

/** Lines of the stage that start the manager in W's network and wait for it. */
export function managerLines(): string[] {
  return [
    // What `systemd` means to the doctor, and where the manager is spoken to.
    'mkdir -p /run/systemd/system /run/user/0; export XDG_RUNTIME_DIR=/run/user/0',
    `for h in ${HIERARCHIES.join(' ')}; do`,
    '  [ -e $h/cgroup.procs ] || continue',
    '  mkdir -p "$h/$(basename "$STAGE")"; echo $$ > "$h/$(basename "$STAGE")/cgroup.procs"',
    'done',
    `SYSTEMD_UNIT_PATH="$HOME/.config/systemd/user" nsenter --net=/run/netns/W ${SYSTEMD} --user --unit=${TARGET} > "$STAGE/systemd.err" 2>&1 &`,
    `for i in $(seq 200); do systemctl --user is-active -q ${TARGET} 2> /dev/null && break; sleep 0.05; done; systemctl --user is-active -q ${TARGET}`,
  ];
}

/** Takes the cgroups of a stage away that has ended, by its name. */
export async function removeCgroups(name: string): Promise<void> {
  const hierarchies = await readdir(CGROUPS).catch(() => []);
  for (const path of [CGROUPS, ...hierarchies.map((one) => join(CGROUPS, one))])
    await removeBelow(join(path, name));
}

async function removeBelow(path: string): Promise<void> {
  const inside = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const one of inside) if (one.isDirectory()) await removeBelow(join(path, one.name));
  await rmdir(path).catch(() => undefined);
}

/** What a group of processes (cgroup) may use, and uses. */
export interface RoomFacts {
  readonly at: string;
  /** `this shell`, `the master in .`. */
  readonly where: string;
  /** The limits nearest to being reached, of the group and those that it is in. */
  readonly memory: GroupLimit | null;
  readonly tasks: GroupLimit | null;
  /** How often the kernel ended a process of the group for lack of memory; null: not told. */
  readonly killed: number | null;
}

/** Bytes, or processes and threads. */
export interface GroupLimit {
  /** The group's directory. */
  readonly group: string;
  readonly most: number;
  /** Of memory without what the kernel can give up at once (pages of files, and its own tables of them). */
  readonly used: number;
}

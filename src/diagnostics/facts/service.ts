/** How systemd runs a program, by `systemctl show`. */
export interface ServiceFacts {
  readonly at: string;
  /** `none`: this machine is not run by systemd; `no unit`: nothing of it runs the program; `silent`: systemctl gave no answer. */
  readonly state: 'none' | 'no unit' | 'silent' | 'known';
  readonly unit: string;
  /** A unit of the user's own manager: `systemctl --user`. */
  readonly own: boolean;
  /** What `show` said, by property; a property that this systemd does not know is missing. */
  readonly properties: Readonly<Record<string, string>>;
  /** Owner of the program's directory, and the user that the unit names; null: not to be seen. */
  readonly owner: number | null;
  readonly runner: { readonly name: string; readonly uid: number | null } | null;
}

/** The network of a running program beside this process's: null where it cannot be seen. */
export interface NetworkFacts {
  readonly at: string;
  readonly own: string | null;
  readonly program: string | null;
}

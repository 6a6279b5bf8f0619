/** The user that a worker's builds are to run as, and the way from the root of the file system to the worker's directory. */
export interface RunAsFacts {
  readonly at: string;
  readonly user: string;
  readonly state: 'known' | 'missing' | 'root';
  /** The first directory above the worker's own that this user may not pass; null where there is none. */
  readonly closed: string | null;
  /** A directory whose rights this process could not see; null: all were seen. */
  readonly unseen: string | null;
}

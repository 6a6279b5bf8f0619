/** The reader of ~/.pgpass that comes with pg. */
declare module 'pgpass' {
  export default function pgpass(
    login: { host: string; port: number; user: string; database: string },
    found: (password: string | undefined) => void,
  ): void;
}

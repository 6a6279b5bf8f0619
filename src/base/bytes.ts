const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** A number of bytes for people: `812 B`, `1.2 MB`; powers of a thousand, as disks are sold. */
export function printBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}
